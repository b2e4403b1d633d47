/* SPDX-License-Identifier: BSD-2-Clause */
/* The strings from the wire that a session keeps for its record, one after the other in one block. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "session/state.h"

void session_free_text(struct sessions *ss, struct session *s)
{
    ss->held -= s->text_capacity;
    if (s->text_capacity == SESSION_TEXT_FIRST)
        slab_give(&ss->text_slab, s->text);
    else
        memory_free(s->text);
    s->text = NULL;
    s->text_capacity = 0;
}

static bool grow_text(struct sessions *ss, struct session *s, size_t size)
{
    size_t capacity = size <= SESSION_TEXT_FIRST ? SESSION_TEXT_FIRST : size + size / 4 + 16;
    char *text = capacity == SESSION_TEXT_FIRST ? slab_take(&ss->text_slab) : memory_new(capacity);
    if (!text) {
        ss->counters->memory_failures++;
        return false;
    }
    if (s->text_length)
        memcpy(text, s->text, s->text_length);
    session_free_text(ss, s);
    s->text = text;
    s->text_capacity = (uint16_t)capacity;
    ss->held += capacity;
    return true;
}

void session_keep_bytes(struct sessions *ss, struct session *s, struct slice bytes, size_t most, struct text_ref *ref)
{
    size_t length = bytes.length < most ? bytes.length : most, size = s->text_length + length;
    if (!length)
        return;
    if (size > LIMIT_SESSION_TEXT) {
        session_limit(ss, s);
        return;
    }
    if (size > s->text_capacity && !grow_text(ss, s, size))
        return;
    memcpy(s->text + s->text_length, bytes.data, length);
    *ref = (struct text_ref){.at = s->text_length, .length = (uint16_t)length};
    s->text_length = (uint16_t)size;
}

void session_keep_text(struct sessions *ss, struct session *s, struct slice bytes, struct text_ref *ref)
{
    if (bytes.length > LIMIT_TEXT)
        session_limit(ss, s);
    session_keep_bytes(ss, s, bytes, LIMIT_TEXT, ref);
}
