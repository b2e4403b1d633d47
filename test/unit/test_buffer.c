/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of buffers: what may be lent, what it says is held, and that nothing stays readable. */
#include "base/buffer.h"
#include "base/memory.h"
#include "test.h"

static struct slice text(const char *string)
{
    return (struct slice){(const uint8_t *)string, strlen(string)};
}

static void test_append(void)
{
    struct pool pool;
    struct buffer buffer = {.length = 0};
    pool_init(&pool, 4096);
    CHECK(buffer_append(&pool, &buffer, text("EHLO "), 100));
    CHECK(buffer_append(&pool, &buffer, text("mail"), 100));
    CHECK_INT(buffer.length, 9);
    CHECK(memcmp(buffer.data, "EHLO mail", 9) == 0);
    CHECK_INT(pool.held, buffer.capacity);
    CHECK_INT(pool.peak, pool.held);
    CHECK(!buffer_append(&pool, &buffer, text("12"), 10)); /* one too many: nothing changed */
    CHECK_INT(buffer.length, 9);
    CHECK(buffer_append(&pool, &buffer, text("1"), 10));
    CHECK(buffer_append(&pool, &buffer, text(""), 10));
    buffer_consume(&buffer, 5);
    CHECK_INT(buffer.length, 5);
    CHECK(memcmp(buffer.data, "mail1", 5) == 0);
    buffer_release(&pool, &buffer);
    CHECK(!buffer.data && !buffer.length && !buffer.capacity);
    CHECK_INT(pool.held, 0);
    buffer_release(&pool, &buffer); /* an empty one is allowed */
    CHECK_INT(pool.held, 0);
    pool_close(&pool);
}

static void test_growth(void)
{
    enum { MOST = 4194304, PIECE = 1000 };
    static uint8_t piece[PIECE];
    struct pool pool;
    struct buffer buffer = {.length = 0};
    bool right = true;
    pool_init(&pool, UINT64_MAX);
    uint32_t total = 0;
    while (total + PIECE <= MOST) {
        memset(piece, (int)(total / PIECE % 251), PIECE);
        right = right && buffer_append(&pool, &buffer, (struct slice){piece, PIECE}, MOST);
        total += PIECE;
    }
    for (uint32_t i = 0; i < total; i++)
        right = right && buffer.data[i] == i / PIECE % 251;
    CHECK(right);
    CHECK(pool.held >= total && pool.held <= 4 * (uint64_t)total);
    CHECK(!buffer_append(&pool, &buffer, (struct slice){piece, PIECE}, MOST));
    CHECK(!buffer_append(&pool, &buffer, (struct slice){piece, PIECE}, UINT32_MAX)); /* the largest */
    CHECK_INT(buffer.length, total);
    buffer_release(&pool, &buffer);
    pool_close(&pool);
}

static void test_pool_limit(void)
{
    struct pool pool;
    struct buffer a = {.length = 0}, b = {.length = 0};
    static const uint8_t kilobyte[1024];
    pool_init(&pool, 1500);
    CHECK(buffer_append(&pool, &a, (struct slice){kilobyte, 1024}, 9999));
    CHECK(!buffer_append(&pool, &b, (struct slice){kilobyte, 1024}, 9999));
    CHECK(b.data == NULL);
    CHECK(buffer_append(&pool, &b, text("a small one"), 9999));
    CHECK(pool.held <= 1500);
    buffer_release(&pool, &a);
    buffer_release(&pool, &b);
    CHECK_INT(pool.held, 0);
    pool_close(&pool);
}

static void test_no_memory(void)
{
    struct pool pool;
    struct buffer buffer = {.length = 0};
    static const uint8_t kilobyte[1024];
    pool_init(&pool, 100000);
    memory_fail_at(1);
    CHECK(!buffer_append(&pool, &buffer, text("x"), 100));
    CHECK(buffer_append(&pool, &buffer, text("xyz"), 100));
    memory_fail_at(1);
    CHECK(!buffer_append(&pool, &buffer, (struct slice){kilobyte, 1024}, 9999));
    CHECK_INT(buffer.length, 3);
    CHECK(memcmp(buffer.data, "xyz", 3) == 0);
    memory_fail_at(0);
    buffer_release(&pool, &buffer);
    pool_close(&pool);
}

static bool holds(const uint8_t *bytes, size_t size, const char *secret)
{
    return memmem(bytes, size, secret, strlen(secret)) != NULL;
}

/* Blocks that were given back stay in the pool, so that they can be looked at here. */
static void test_wiped(void)
{
    struct pool pool;
    struct buffer buffer = {.length = 0};
    static const uint8_t kilobyte[1024];
    pool_init(&pool, 100000);
    CHECK(buffer_append(&pool, &buffer, text("AUTH PLAIN AHVzZXIAc2VjcmV0"), 9999));
    const uint8_t *small = buffer.data;
    uint32_t capacity = buffer.capacity;
    CHECK(holds(small, capacity, "AHVzZXIAc2VjcmV0"));
    CHECK(buffer_append(&pool, &buffer, (struct slice){kilobyte, 1024}, 9999)); /* it moves */
    CHECK(buffer.data != small && !holds(small, capacity, "zZXIAc2VjcmV0"));
    const uint8_t *large = buffer.data;
    capacity = buffer.capacity;
    buffer_release(&pool, &buffer);
    CHECK(!holds(large, capacity, "zZXIAc2VjcmV0"));
    /* What was consumed is wiped as well. */
    CHECK(buffer_append(&pool, &buffer, text("12345678 c2VjcmV0 c2VjcmV0"), 9999));
    small = buffer.data;
    capacity = buffer.capacity;
    buffer_consume(&buffer, 18);
    buffer_consume(&buffer, 8);
    buffer_release(&pool, &buffer);
    CHECK(!holds(small, capacity, "c2VjcmV0"));
    pool_close(&pool);
}

int main(void)
{
    test_append();
    test_growth();
    test_pool_limit();
    test_no_memory();
    test_wiped();
    return TEST_END();
}
