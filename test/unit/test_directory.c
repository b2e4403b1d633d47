/* SPDX-License-Identifier: BSD-2-Clause */
/* base/directory against a plain array: hashes that collide in all their bits, growing, and no memory. */
#include <stdlib.h>

#include "base/directory.h"
#include "base/memory.h"
#include "unit/test.h"

enum { ENTRIES = 5000, ROUNDS = 60000 };

static uint64_t hashes[ENTRIES + 1];
static bool in[ENTRIES + 1];

static bool finds(const struct directory *directory, uint32_t entry)
{
    uint32_t found, times = 0;
    for (uint32_t steps = 0; (found = directory_next(directory, hashes[entry], &steps)) != 0;) {
        if ((uint32_t)hashes[found] != (uint32_t)hashes[entry])
            return !in[entry]; /* what has another hash is never shown */
        times += found == entry;
    }
    return times == in[entry];
}

static unsigned wrong_ones(const struct directory *directory)
{
    unsigned wrong = 0;
    for (uint32_t entry = 1; entry <= ENTRIES; entry++)
        wrong += !finds(directory, entry);
    return wrong;
}

/* Every second entry shares the low bits of its hash with many, every hundredth all 32; some are at the table's end, and wrap. */
static void make_hashes(void)
{
    srand(7);
    for (uint32_t entry = 1; entry <= ENTRIES; entry++) {
        hashes[entry] = (uint64_t)rand() << 32 | (uint32_t)rand();
        if (entry % 2)
            hashes[entry] &= ~UINT64_C(0xfff);
        if (entry % 100 == 0)
            hashes[entry] = hashes[100];
        if (entry % 7 == 0)
            hashes[entry] |= 0x7ff0;
    }
    hashes[1] = 0;
}

static void test_against_array(void)
{
    struct directory directory;
    uint32_t count = 0;
    unsigned wrong = 0;
    CHECK(directory_init(&directory));
    make_hashes();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t entry = 1 + (uint32_t)rand() % ENTRIES;
        if (in[entry])
            directory_remove(&directory, hashes[entry], entry);
        else
            wrong += !directory_add(&directory, hashes[entry], entry);
        in[entry] = !in[entry];
        count += in[entry] ? 1 : -1u;
        wrong += directory.count != count || !finds(&directory, entry);
        if (round % 6000 == 0)
            wrong += wrong_ones(&directory);
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(wrong_ones(&directory), 0);
    CHECK(count * 5 <= (directory.mask + 1) * 2);
    CHECK_INT(directory_held(&directory), (directory.mask + 1) * sizeof(uint64_t));
    directory_close(&directory);
    memset(in, 0, sizeof in);
}

static void test_replace(void)
{
    struct directory directory;
    uint32_t steps = 0;
    CHECK(directory_init(&directory));
    CHECK(directory_add(&directory, 5, 1) && directory_add(&directory, 5, 2) && directory_add(&directory, 5, 3));
    directory_replace(&directory, 5, 2, 9);
    uint32_t sum = 0, entry;
    while ((entry = directory_next(&directory, 5, &steps)) != 0)
        sum += entry;
    CHECK_INT(sum, 1 + 9 + 3);
    CHECK_INT(directory.count, 3);
    directory_close(&directory);
}

static void test_no_memory(void)
{
    struct directory directory;
    uint32_t added = 0;
    memory_fail_at(1);
    CHECK(!directory_init(&directory));
    memory_fail_at(0);
    CHECK(directory_init(&directory));
    for (; added <= ENTRIES; added++) {
        memory_fail_at(1); /* no more places than it began with */
        if (!directory_add(&directory, added, added + 1))
            break;
    }
    memory_fail_at(0);
    CHECK_INT(added, directory.mask); /* all but one, and a look-up for what is not there ends */
    uint32_t steps = 0;
    CHECK_INT(directory_next(&directory, 12345, &steps), 0);
    CHECK(directory_add(&directory, added, added + 1));
    CHECK_INT(directory.count, added + 1);
    directory_close(&directory);
}

int main(void)
{
    test_against_array();
    test_replace();
    test_no_memory();
    return TEST_END();
}
