/* SPDX-License-Identifier: BSD-2-Clause */
/* Compact tables of the report: interned strings, and items found by the bytes of their key. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An open-addressed index of item numbers; its hashes are keyed, so that nobody chooses collisions.
 */
struct table_slot {
    uint32_t hash;
    uint32_t item; /* number + 1; 0: free */
};
struct table_index {
    struct table_slot *slots;
    uint32_t mask, count; /* slots - 1; items */
    uint64_t key[2];
};

/*
 * Items of one size in one array; the first key_size bytes of each are its key, compared as bytes
 * (so keys are zeroed before they are filled in). Item numbers are stable until the table is
 * rebuilt; pointers only until the next item is added.
 */
struct table {
    void *items;
    uint32_t count, capacity;
    uint32_t item_size, key_size;
    struct table_index index;
};

/* table_init makes an empty table that holds no memory yet. */
void table_init(struct table *table, uint32_t item_size, uint32_t key_size);
void table_close(struct table *table);

/* table_get returns the item with this key, added (zeroed but for its key) if it was not there;
 * NULL without memory. */
void *table_get(struct table *table, const void *key) __attribute__((warn_unused_result));

/* table_find returns the item with this key, or NULL. */
void *table_find(const struct table *table, const void *key);

static inline void *table_at(const struct table *table, uint32_t number)
{
    return (char *)table->items + (size_t)number * table->item_size;
}

static inline uint32_t table_number(const struct table *table, const void *item)
{
    return (uint32_t)((size_t)((const char *)item - (const char *)table->items) / table->item_size);
}

/* Strings, each kept once. Number 0 is the empty string, which stands for "none". */
struct strings {
    char *bytes; /* NUL-terminated, one after the other */
    size_t length, capacity;
    uint32_t *at; /* offset of each */
    uint32_t count, at_capacity;
    struct table_index index;
};

enum { STRINGS_FAILED = UINT32_MAX };

void strings_init(struct strings *strings);
void strings_close(struct strings *strings);

/* strings_add returns the number of a string (length without NUL; an embedded NUL ends it), or
 * STRINGS_FAILED without memory. */
uint32_t strings_add(struct strings *strings, const char *text, size_t length)
    __attribute__((warn_unused_result));

/* strings_text borrows a string until the next one is added. */
static inline const char *strings_text(const struct strings *strings, uint32_t number)
{
    return number < strings->count ? strings->bytes + strings->at[number] : "";
}

/* table_fixed_hash is the same on every machine and in every run: it decides what is folded. */
uint64_t table_fixed_hash(const char *text);

#endif
