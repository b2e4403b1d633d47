/* SPDX-License-Identifier: BSD-2-Clause */
/* The line in which every format writes an event, before output sends it off. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "writer/line.h"

bool line_reserve(struct line *line, size_t count)
{
    if (line->failed || count <= line->capacity - line->length)
        return !line->failed;
    size_t capacity = line->capacity ? line->capacity : 1024;
    while (capacity - line->length < count)
        capacity *= 2;
    char *data = memory_resize(line->data, capacity);
    if (!data) {
        line->failed = true;
        return false;
    }
    line->data = data;
    line->capacity = capacity;
    return true;
}

void line_add(struct line *line, const char *bytes, size_t count)
{
    if (!count || !line_reserve(line, count))
        return;
    memcpy(line->data + line->length, bytes, count);
    line->length += count;
}

void line_print(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0 || !line_reserve(line, (size_t)size + 1))
        return;
    va_start(arguments, format);
    vsnprintf(line->data + line->length, (size_t)size + 1, format, arguments);
    va_end(arguments);
    line->length += (size_t)size;
}

void line_text(struct line *line, struct slice bytes, const char *also)
{
    if (!line_reserve(line, bytes.length * TEXT_ESCAPED))
        return;
    struct reader from = reader_of_slice(bytes);
    line->length +=
        text_escape(&from, also, line->data + line->length, bytes.length * TEXT_ESCAPED);
}

void line_free(struct line *line)
{
    memory_free(line->data);
    *line = (struct line){0};
}
