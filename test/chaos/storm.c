/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaded before the program by chaos/run: a signal every 100 microseconds, so that system calls are interrupted, and writes that
 * take a part only. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static unsigned calls;

static void nothing(int signal)
{
    (void)signal;
}

__attribute__((constructor)) static void begin(void)
{
    struct sigaction action = {.sa_handler = nothing}; /* no SA_RESTART */
    struct itimerval often = {{0, 100}, {0, 100}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (++calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return real(fd, bytes, count > 1 ? count / 2 + 1 : count);
}
