/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the report's aggregate keeps what it knows: arrays with an open-addressed index beside. */
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/siphash.h"
#include "report/table.h"

enum { FIRST_SLOTS = 64, FIRST_ITEMS = 16 };

static uint32_t index_hash(const struct table_index *index, const void *bytes, size_t size)
{
    return (uint32_t)siphash(index->key, 1, 3, bytes, size);
}

static void index_init(struct table_index *index)
{
    memset(index, 0, sizeof *index);
    if (getrandom(index->key, sizeof index->key, GRND_NONBLOCK) < 0)
        index->key[0] = (uintptr_t)index; /* still differs from run to run */
}

static void index_place(struct table_slot *slots, uint32_t mask, struct table_slot slot)
{
    uint32_t at = slot.hash & mask;
    while (slots[at].item)
        at = (at + 1) & mask;
    slots[at] = slot;
}

/* Keeps at least a third of the slots free: probes stay short. */
static bool index_reserve(struct table_index *index)
{
    uint32_t have = index->slots ? index->mask + 1 : 0;
    if (have && (uint64_t)(index->count + 1) * 3 <= (uint64_t)have * 2)
        return true;
    uint32_t want = have ? have * 2 : FIRST_SLOTS;
    struct table_slot *slots = want > have ? memory_new_array(want, sizeof *slots) : NULL;
    if (!slots)
        return false;
    for (uint32_t i = 0; i < have; i++)
        if (index->slots[i].item)
            index_place(slots, want - 1, index->slots[i]);
    memory_free(index->slots);
    index->slots = slots;
    index->mask = want - 1;
    return true;
}

static void index_add(struct table_index *index, uint32_t hash, uint32_t number)
{
    index_place(index->slots, index->mask, (struct table_slot){.hash = hash, .item = number + 1});
    index->count++;
}

void table_init(struct table *table, uint32_t item_size, uint32_t key_size)
{
    memset(table, 0, sizeof *table);
    table->item_size = item_size;
    table->key_size = key_size;
    index_init(&table->index);
}

void table_close(struct table *table)
{
    memory_free(table->items);
    memory_free(table->index.slots);
    table_init(table, table->item_size, table->key_size);
}

static void *table_probe(const struct table *table, const void *key, uint32_t hash)
{
    const struct table_index *index = &table->index;
    if (!index->slots)
        return NULL;
    for (uint32_t at = hash & index->mask; index->slots[at].item; at = (at + 1) & index->mask) {
        if (index->slots[at].hash != hash)
            continue;
        void *item = table_at(table, index->slots[at].item - 1);
        if (memcmp(item, key, table->key_size) == 0)
            return item;
    }
    return NULL;
}

void *table_find(const struct table *table, const void *key)
{
    return table_probe(table, key, index_hash(&table->index, key, table->key_size));
}

static bool table_reserve(struct table *table)
{
    if (table->count < table->capacity)
        return true;
    uint32_t want = table->capacity ? table->capacity + table->capacity / 2 : FIRST_ITEMS;
    if (want <= table->capacity || want >= UINT32_MAX - 1)
        return false;
    void *items = memory_resize(table->items, (size_t)want * table->item_size);
    if (!items)
        return false;
    table->items = items;
    table->capacity = want;
    return true;
}

void *table_get(struct table *table, const void *key)
{
    uint32_t hash = index_hash(&table->index, key, table->key_size);
    void *item = table_probe(table, key, hash);
    if (item)
        return item;
    if (!table_reserve(table) || !index_reserve(&table->index))
        return NULL;
    item = table_at(table, table->count);
    memset(item, 0, table->item_size);
    memcpy(item, key, table->key_size);
    index_add(&table->index, hash, table->count++);
    return item;
}

void strings_init(struct strings *strings)
{
    memset(strings, 0, sizeof *strings);
    index_init(&strings->index);
}

void strings_close(struct strings *strings)
{
    memory_free(strings->bytes);
    memory_free(strings->at);
    memory_free(strings->index.slots);
    strings_init(strings);
}

static bool strings_reserve(struct strings *strings, size_t length)
{
    if (strings->count == strings->at_capacity) {
        uint32_t want = strings->at_capacity ? strings->at_capacity * 2 : FIRST_SLOTS;
        uint32_t *at = memory_resize(strings->at, want * sizeof *at);
        if (!at)
            return false;
        strings->at = at;
        strings->at_capacity = want;
    }
    size_t need = strings->length + length + 1;
    if (need <= strings->capacity)
        return true;
    size_t want = strings->capacity * 3 / 2 > need ? strings->capacity * 3 / 2 : need + 4096;
    char *bytes = want < UINT32_MAX ? memory_resize(strings->bytes, want) : NULL;
    if (!bytes)
        return false;
    strings->bytes = bytes;
    strings->capacity = want;
    return true;
}

static void strings_append(struct strings *strings, const char *text, size_t length)
{
    strings->at[strings->count++] = (uint32_t)strings->length;
    memcpy(strings->bytes + strings->length, text, length);
    strings->bytes[strings->length + length] = '\0';
    strings->length += length + 1;
}

static uint32_t strings_probe(const struct strings *strings, const char *text, size_t length,
                              uint32_t hash)
{
    const struct table_index *index = &strings->index;
    if (!index->slots)
        return STRINGS_FAILED;
    for (uint32_t at = hash & index->mask; index->slots[at].item; at = (at + 1) & index->mask) {
        uint32_t number = index->slots[at].item - 1;
        const char *have = strings->bytes + strings->at[number];
        if (index->slots[at].hash == hash && strncmp(have, text, length) == 0 && !have[length])
            return number;
    }
    return STRINGS_FAILED;
}

uint32_t strings_add(struct strings *strings, const char *text, size_t length)
{
    length = strnlen(text, length);
    if (strings->count == 0) {
        if (!strings_reserve(strings, 0))
            return STRINGS_FAILED;
        strings_append(strings, "", 0); /* number 0 is none, and in no index */
    }
    if (length == 0)
        return 0;
    uint32_t hash = index_hash(&strings->index, text, length);
    uint32_t number = strings_probe(strings, text, length, hash);
    if (number != STRINGS_FAILED)
        return number;
    if (!strings_reserve(strings, length) || !index_reserve(&strings->index))
        return STRINGS_FAILED;
    strings_append(strings, text, length);
    index_add(&strings->index, hash, strings->count - 1);
    return strings->count - 1;
}

uint64_t table_fixed_hash(const char *text)
{
    static const uint64_t key[2] = {0x6d78746170207265, 0x706f727420666f6c}; /* any constant */
    return siphash(key, 2, 4, text, strlen(text));
}
