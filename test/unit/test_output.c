/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole lines, whatever happens to the file or pipe: full disks, closed and slow pipes, signals,
 * leftovers of a crash. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/test.h"
#include "writer/writer.h"

static char directory[] = P_tmpdir "/test_output.XXXXXX";
static char path[sizeof directory + 16];
static int real_stderr;
static struct log quiet; /* messages go to a file, which tests read */

static void put_file(const void *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    CHECK(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
}

static const char *get_file(const char *name)
{
    static char content[1 << 20];
    FILE *file = fopen(name, "r");
    size_t length = file ? fread(content, 1, sizeof content - 1, file) : 0;
    content[length] = '\0';
    if (file)
        fclose(file);
    return content;
}

/* What mxtap wrote to standard error since the last call; what tests wrote is passed on. */
static const char *messages(void)
{
    static char text[4096];
    char name[sizeof path];
    snprintf(name, sizeof name, "%s/stderr", directory);
    fflush(stderr);
    snprintf(text, sizeof text, "%.4000s", get_file(name));
    if (strstr(text, "CHECK(") || strstr(text, ", expected "))
        dprintf(real_stderr, "%s", text);
    if (ftruncate(STDERR_FILENO, 0) < 0)
        abort();
    return text;
}

static bool add(struct output *output, const char *text)
{
    char bytes[20000];
    snprintf(bytes, sizeof bytes, "%s", text);
    struct line line = {.data = bytes, .length = strlen(bytes), .capacity = sizeof bytes};
    return output_write(output, &line);
}

static void test_append(void)
{
    put_file("{\"old\":1}\n", 10);
    struct output *output = output_open(path, &quiet);
    CHECK(output && add(output, "{\"new\":1}\n"));
    CHECK_TEXT(get_file(path), "{\"old\":1}\n"); /* gathered */
    CHECK(output_flush(output));
    CHECK_TEXT(get_file(path), "{\"old\":1}\n{\"new\":1}\n");
    CHECK(add(output, "{\"new\":2}\n"));
    struct line failed = {.failed = true};
    CHECK(output_write(output, &failed)); /* not whole: not written */
    CHECK(output_close(output));
    CHECK_TEXT(get_file(path), "{\"old\":1}\n{\"new\":1}\n{\"new\":2}\n");
    CHECK(output_close(NULL));
    CHECK_TEXT(messages(), "");
}

static void test_new_file(void)
{
    unlink(path);
    struct output *output = output_open(path, &quiet);
    CHECK(output && output_close(output));
    struct stat status;
    CHECK(stat(path, &status) == 0 && status.st_size == 0);
}

static void check_mended(const void *before, size_t length, const char *after)
{
    put_file(before, length);
    struct output *output = output_open(path, &quiet);
    CHECK(output != NULL);
    if (output) {
        CHECK(add(output, "{\"new\":1}\n") && output_close(output));
        CHECK_TEXT(get_file(path), after);
        CHECK(strstr(messages(), "cut off an unfinished last line"));
    }
}

static void test_unfinished_line(void)
{
    check_mended("{\"a\":1}\n{\"b\":", 13, "{\"a\":1}\n{\"new\":1}\n");
    check_mended("{\"eve", 5, "{\"new\":1}\n");
    check_mended("2026-11-23T14:", 14, "{\"new\":1}\n");
    check_mended("{\"a\":1}\n\0\0\0", 11, "{\"a\":1}\n{\"new\":1}\n");
}

static void check_refused(const void *bytes, size_t length)
{
    put_file(bytes, length);
    CHECK(output_open(path, &quiet) == NULL);
    CHECK(strstr(messages(), "not appended to"));
    struct stat status;
    CHECK(stat(path, &status) == 0 && (size_t)status.st_size == length);
}

static void test_foreign_file(void)
{
    static char large[100000];
    memset(large, 'x', sizeof large);
    check_refused("\xd4\xc3\xb2\xa1\x02\0\x04\0", 8); /* a capture */
    check_refused("text\nwithout an end", 19);
    check_refused(large, sizeof large);
    memset(large, '{', sizeof large); /* begins like one of ours, but no line is that long */
    check_refused(large, sizeof large);
}

static void test_cannot_open(void)
{
    CHECK(output_open(directory, &quiet) == NULL);
    CHECK(strstr(messages(), directory) != NULL);
    CHECK(output_open("/nonexistent/events.json", &quiet) == NULL);
    CHECK_TEXT(messages(), "mxtap: /nonexistent/events.json: No such file or directory\n");
}

static void test_full_device(void)
{
    struct output *output = output_open("/dev/full", &quiet);
    CHECK(output && add(output, "{}\n"));
    CHECK(!output_flush(output));
    CHECK(!add(output, "{}\n"));
    CHECK(!output_flush(output));
    CHECK(!output_close(output));
    CHECK_TEXT(messages(), "mxtap: /dev/full: No space left on device\n"); /* once */
}

/* A file that may not grow beyond some size takes a part of a line, as a full disk does. */
static void test_full_disk(void)
{
    struct rlimit old, small;
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    small = (struct rlimit){.rlim_cur = 42, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    put_file("{\"old\":1}\n", 10);
    struct output *output = output_open(path, &quiet);
    for (unsigned i = 0; i < 5; i++)
        CHECK(output && add(output, "{\"new\":1}\n"));
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(!output_flush(output));
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(!add(output, "{\"new\":2}\n")); /* also when there is room again */
    CHECK(!output_close(output));
    CHECK_TEXT(get_file(path), "{\"old\":1}\n{\"new\":1}\n{\"new\":1}\n{\"new\":1}\n");
    char expected[128];
    snprintf(expected, sizeof expected, "mxtap: %s: File too large\n", path);
    CHECK_TEXT(messages(), expected);
}

/* Lets `work` write to standard output, which is the given descriptor, in place of ours. */
static bool as_standard_output(int fd, bool (*work)(struct output *output))
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    CHECK(dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
    struct output *output = output_open(NULL, &quiet);
    bool good = output && work(output);
    good = output_close(output) && good;
    CHECK(dup2(saved, STDOUT_FILENO) == STDOUT_FILENO);
    close(saved);
    return good;
}

static bool one_line(struct output *output)
{
    return add(output, "{\"new\":1}\n");
}

static void test_closed_pipe(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK(!as_standard_output(ends[1], one_line));
    CHECK_TEXT(messages(), "mxtap: standard output: Broken pipe\n");
    close(ends[1]);
}

/* `mxtap -r x > file` after another program's output: nothing before is touched when the disk is
 * full. */
static void test_standard_output_file(void)
{
    struct rlimit old, small;
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    small = (struct rlimit){.rlim_cur = 15, .rlim_max = old.rlim_max};
    put_file("", 0);
    int fd = open(path, O_WRONLY);
    CHECK(write(fd, "no line", 7) == 7);
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(!as_standard_output(fd, one_line));
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    close(fd);
    CHECK_TEXT(get_file(path), "no line");
    CHECK(strstr(messages(), "standard output: File too large"));
}

enum { MANY = 200000 };

static bool many_lines(struct output *output)
{
    char text[32];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "{\"line\":%06u}\n", i);
        if (!add(output, text))
            return false;
    }
    return true;
}

/* A child that reads slowly, with pauses, and exits with 0 if every line arrived once and in order.
 */
static pid_t slow_reader(int ends[2])
{
    fflush(stdout);
    pid_t child = fork();
    if (child != 0)
        return child;
    close(ends[1]);
    FILE *pipe_end = fdopen(ends[0], "r");
    char text[64], expected[64];
    unsigned count = 0;
    for (; fgets(text, sizeof text, pipe_end); count++) {
        snprintf(expected, sizeof expected, "{\"line\":%06u}\n", count);
        if (strcmp(text, expected) != 0)
            _exit(1);
        if (count % 20000 == 0)
            usleep(20000);
    }
    _exit(count == MANY ? 0 : 2);
}

static void ignore(int signal_number)
{
    (void)signal_number;
}

static void check_slow_pipe(int flags, bool interrupt)
{
    int ends[2], status = -1;
    CHECK(pipe(ends) == 0);
    pid_t child = slow_reader(ends);
    close(ends[0]);
    CHECK(fcntl(ends[1], F_SETFL, flags) == 0);
    struct sigaction action = {.sa_handler = ignore}; /* no SA_RESTART */
    sigaction(SIGALRM, &action, NULL);
    struct itimerval often = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}},
                     never = {0};
    if (interrupt)
        setitimer(ITIMER_REAL, &often, NULL);
    CHECK(as_standard_output(ends[1], many_lines));
    setitimer(ITIMER_REAL, &never, NULL);
    close(ends[1]);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    CHECK_TEXT(messages(), "");
}

static void test_large_lines(void)
{
    char text[16385];
    memset(text, 'a', sizeof text);
    text[16383] = '\n';
    text[16384] = '\0';
    put_file("", 0);
    struct output *output = output_open(path, &quiet);
    for (unsigned i = 0; i < 9; i++)
        CHECK(add(output, text));
    CHECK(output_close(output));
    struct stat status;
    CHECK(stat(path, &status) == 0 && status.st_size == 9 * 16384);
}

int main(void)
{
    real_stderr = dup(STDERR_FILENO);
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/stderr", directory);
    if (!freopen(path, "w+", stderr))
        return 1;
    snprintf(path, sizeof path, "%s/events.json", directory);
    CHECK(fcntl(STDERR_FILENO, F_SETFL, O_APPEND) == 0);
    test_append();
    test_new_file();
    test_unfinished_line();
    test_foreign_file();
    test_cannot_open();
    test_full_device();
    test_full_disk();
    test_closed_pipe();
    test_standard_output_file();
    check_slow_pipe(0, false);
    check_slow_pipe(0, true);
    check_slow_pipe(O_NONBLOCK, true);
    test_large_lines();
    messages();
    unlink(path);
    snprintf(path, sizeof path, "%s/stderr", directory);
    unlink(path);
    rmdir(directory);
    return TEST_END();
}
