/* SPDX-License-Identifier: BSD-2-Clause */
/* base/slab: blocks are zeroed, apart from each other, used again, and missing without memory. */
#include <stdbool.h>

#include "base/memory.h"
#include "base/slab.h"
#include "unit/test.h"

enum { BLOCKS = 30000, SIZE = 100 /* in all more than MEMORY_HUGE */ };

static bool zeroed(const unsigned char *block)
{
    for (size_t i = 0; i < SIZE; i++)
        if (block[i])
            return false;
    return true;
}

static void test_blocks(void)
{
    static unsigned char *blocks[BLOCKS];
    struct slab slab;
    unsigned wrong = 0;
    slab_init(&slab, SIZE);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < BLOCKS; i++) {
            blocks[i] = slab_take(&slab);
            wrong += !blocks[i] || !zeroed(blocks[i]);
            memset(blocks[i], (int)(i % 255 + 1), SIZE);
        }
        for (unsigned i = 0; i < BLOCKS; i++) {
            wrong += blocks[i][0] != i % 255 + 1 || blocks[i][SIZE - 1] != i % 255 + 1;
            slab_give(&slab, blocks[i]);
        }
    }
    CHECK_INT(wrong, 0);
    CHECK(slab.held <= 2 * BLOCKS * SIZE);
    slab_give(&slab, NULL);
    slab_close(&slab);
}

/* Numbers find their blocks as long as these are in use, whatever was given back in between. */
static void test_numbers(void)
{
    static struct {
        unsigned char *block;
        uint32_t number;
    } taken[BLOCKS];
    struct slab slab;
    unsigned wrong = 0;
    slab_init(&slab, SIZE);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < BLOCKS; i++)
            if (!taken[i].block) {
                taken[i].block = slab_take_numbered(&slab, &taken[i].number);
                wrong += !taken[i].block || !zeroed(taken[i].block) || taken[i].number >> 29;
                memset(taken[i].block, (int)(i % 255 + 1), SIZE);
            }
        for (unsigned i = 0; i < BLOCKS; i++)
            wrong += slab_at(&slab, taken[i].number) != taken[i].block || taken[i].block[SIZE - 1] != i % 255 + 1;
        for (unsigned i = round; i < BLOCKS; i += 3) {
            slab_give_numbered(&slab, taken[i].number);
            taken[i].block = NULL;
        }
    }
    CHECK_INT(wrong, 0);
    slab_close(&slab);
}

static void test_no_memory(void)
{
    struct slab slab;
    slab_init(&slab, SIZE);
    for (unsigned n = 1; n <= 2; n++) { /* the list of chunks, the chunk */
        memory_fail_at(n);
        CHECK(!slab_take(&slab));
        memory_fail_at(0);
    }
    void *block = slab_take(&slab);
    CHECK(block);
    slab_give(&slab, block);
    slab_close(&slab);
}

int main(void)
{
    test_blocks();
    test_numbers();
    test_no_memory();
    return TEST_END();
}
