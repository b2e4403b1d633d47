/* SPDX-License-Identifier: BSD-2-Clause */
/* The exception list: one peer per line, as RFC 4180 has it. */
#include <stdio.h>
#include <string.h>

#include "report/output.h"
#include "report/wording.h"

/*
 * Quoted always, quotes doubled. A value that a spreadsheet would take for a formula gets an
 * apostrophe in front: who controls a peer's name must not run anything at ours.
 */
static void field(FILE *out, const char *text)
{
    fputc('"', out);
    if (*text && strchr("=+-@\t\r", *text))
        fputc('\'', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void time_field(FILE *out, int64_t seconds)
{
    fputc(',', out);
    if (seconds == INT64_MIN)
        return;
    struct small_text minute = wording_minute(seconds);
    minute.text[10] = 'T';
    fprintf(out, "%s:%02uZ", minute.text, (unsigned)((seconds % 60 + 60) % 60));
}

static void number_field(FILE *out, uint64_t number)
{
    fprintf(out, ",%llu", (unsigned long long)number);
}

static void row(const struct figures *figures, const struct peer_figures *peer, FILE *out,
                struct prose *prose)
{
    prose_clear(prose);
    wording_safe(prose, aggregate_text(figures->aggregate, peer->name));
    field(out, prose->text ? prose->text : "");
    fprintf(out, ",%s,%s,", wording_named_by_word((enum named_by)peer->by),
            peer->flows == 1U << FLOW_IN    ? "inbound"
            : peer->flows == 1U << FLOW_OUT ? "outbound"
                                            : "both");
    field(out, peer->cannot ? wording_at_most(figures, peer) : "");
    const uint64_t numbers[] = {peer->cannot,   peer->cannot_substantial,
                                peer->sessions, peer->can,
                                peer->unknown,  peer->own,
                                peer->clear,    peer->failed,
                                peer->fallback};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        number_field(out, numbers[i]);
    time_field(out, peer->last);
    time_field(out, peer->last_cannot);
    fputs("\r\n", out);
}

bool report_csv(const struct figures *figures, const struct report_output *output)
{
    struct prose prose = {0};
    unsigned lists = output->lists ? output->lists : LIST_CANNOT;
    fputs("peer,named_by,direction,at_most,cannot,cannot_over_1kb,sessions,can,unknown,own,clear_"
          "text,failed,fell_back,"
          "last_seen,last_cannot\r\n",
          output->out);
    for (uint32_t i = 0; i < figures->peer_count && !output->anonymous; i++)
        if (report_lists(&figures->peers[i], lists))
            row(figures, &figures->peers[i], output->out, &prose);
    bool whole = !prose.failed;
    prose_free(&prose);
    return whole;
}
