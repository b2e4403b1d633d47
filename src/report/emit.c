/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON out of the report: streamed, since a report can list 200,000 peers. */
#include <inttypes.h>
#include <string.h>

#include "report/emit.h"

static void quote(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void new_line(const struct emit *emit)
{
    if (emit->pretty)
        fprintf(emit->out, "\n%*s", (int)emit->depth, "");
}

static void begin(struct emit *emit, const char *key)
{
    if (emit->inside)
        fputc(',', emit->out);
    if (emit->depth)
        new_line(emit);
    emit->inside = true;
    if (!key)
        return;
    quote(emit->out, key);
    fputs(emit->pretty ? ": " : ":", emit->out);
}

void emit_open(struct emit *emit, const char *key, char bracket)
{
    begin(emit, key);
    fputc(bracket, emit->out);
    emit->depth++;
    emit->inside = false;
}

void emit_close(struct emit *emit, char bracket)
{
    emit->depth--;
    if (emit->inside)
        new_line(emit);
    fputc(bracket, emit->out);
    emit->inside = emit->depth != 0;
}

void emit_text(struct emit *emit, const char *key, const char *value)
{
    if (!value)
        return;
    begin(emit, key);
    quote(emit->out, value);
}

void emit_number(struct emit *emit, const char *key, uint64_t value)
{
    begin(emit, key);
    fprintf(emit->out, "%" PRIu64, value);
}

void emit_integer(struct emit *emit, const char *key, int64_t value)
{
    begin(emit, key);
    fprintf(emit->out, "%" PRId64, value);
}

void emit_boolean(struct emit *emit, const char *key, bool value)
{
    begin(emit, key);
    fputs(value ? "true" : "false", emit->out);
}
