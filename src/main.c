/* SPDX-License-Identifier: BSD-2-Clause */
/* The program: a table of subcommands. Without one it analyzes. Exit status: 0 all read, 1 not all, 2 usage. */
#include <signal.h>
#include <string.h>

#include "base/memory.h"
#include "commands.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"report", cmd_report},
};

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed pipe and a file size limit are errors of the write, and reported */
    signal(SIGXFSZ, SIG_IGN);
    memory_begin();
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return cmd_analyze(argc, argv);
}
