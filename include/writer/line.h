/* SPDX-License-Identifier: BSD-2-Clause */
/* Adding to a line; private to the formats. On want of memory line->failed is set, and what follows
 * does nothing. */
#ifndef WRITER_LINE_H
#define WRITER_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/reader.h"
#include "writer/writer.h"

/* line_reserve makes room for `count` bytes more behind line->length; false without memory. */
bool line_reserve(struct line *line, size_t count);

/* line_add adds bytes as they are. */
void line_add(struct line *line, const char *bytes, size_t count);

/* line_print adds as printf does; for words, numbers and what was escaped before. */
void line_print(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* line_text adds bytes from the wire, escaped; `also` as in text_escape. */
void line_text(struct line *line, struct slice bytes, const char *also);

#endif
