/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of formats that --format chooses from. */
#include <string.h>

#include "writer/event.h"

static const struct format formats[] = {
    {.name = "mxtap", .session = event_write_session, .stats = event_write_stats},
    {.name = "ecs", .session = ecs_write_session, .stats = ecs_write_stats},
    {.name = "eve", .session = eve_write_session, .stats = eve_write_stats},
    {.name = "ocsf", .session = ocsf_write_session, .stats = NULL},
    {.name = "text", .session = text_write_session, .stats = NULL},
};

const struct format *format_of(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
