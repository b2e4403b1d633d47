/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON written in one go: commas, quoting and, if wanted, lines and indentation. */
#ifndef REPORT_EMIT_H
#define REPORT_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct emit {
    FILE *out;
    bool pretty; /* a line for each member, indented by one blank per level */
    bool inside; /* something was written at this level: a comma is due */
    unsigned depth;
};

/* In objects each value has a key, in arrays (and at the top) it is NULL. */
void emit_open(struct emit *emit, const char *key, char bracket); /* '{' or '[' */
void emit_close(struct emit *emit, char bracket);                 /* '}' or ']' */
void emit_text(struct emit *emit, const char *key,
               const char *value); /* UTF-8; NULL: nothing is written */
void emit_number(struct emit *emit, const char *key, uint64_t value);
void emit_integer(struct emit *emit, const char *key, int64_t value);
void emit_boolean(struct emit *emit, const char *key, bool value);

#endif
