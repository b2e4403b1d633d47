/* SPDX-License-Identifier: BSD-2-Clause */
/* Forbidden things, tried from inside: each in a child of its own, which the sandbox has to end, or
 * to refuse, and to let go on with what was told before. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/sandbox.h"
#include "unit/test.h"

enum { DONE = 0, REFUSED = 40, NO_SANDBOX = 41 };

static char directory[] = P_tmpdir "/test_sandbox.XXXXXX";
static char inside[sizeof directory + 32], beside[sizeof directory + 32],
    said[sizeof directory + 32];
static struct log quiet = {.verbosity = -1};

/* What a child is told it will need. */
struct needs {
    bool read, write, threads, sockets;
};

static bool enter(const struct needs *needs)
{
    struct sandbox *sandbox = sandbox_new(SANDBOX_REQUIRE, &quiet);
    if (!sandbox)
        return false;
    if (needs->sockets)
        sandbox_sockets(sandbox);
    if (needs->threads)
        sandbox_threads(sandbox);
    sandbox_read(sandbox, needs->read ? inside : NULL);
    sandbox_write(sandbox, needs->write ? inside : "-");
    bool good = sandbox_enter(sandbox);
    sandbox_free(sandbox);
    return good;
}

static const char *read_said(void)
{
    static char text[512];
    int fd = open(said, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

/* Runs `attempt` inside and returns the child's status as of waitpid. The attempt returns what it
 * exits with. */
static int try_inside(const struct needs *needs, int (*attempt)(void))
{
    int status = -1, fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(fd, STDERR_FILENO);
        if (!enter(needs))
            _exit(NO_SANDBOX);
        _exit(attempt());
    }
    close(fd);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

static bool was_ended(int status, const char *call)
{
    char words[64];
    snprintf(words, sizeof words, "forbidden system call %s;", call);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && strstr(read_said(), words);
}

static bool exited(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static int outcome(bool done)
{
    return done ? DONE : REFUSED;
}

/* ---- attempts */

static int run_program(void)
{
    char *const words[] = {(char[]){"/bin/true"}, NULL};
    execv(words[0], words);
    return DONE;
}

static int open_socket(void)
{
    return outcome(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static int open_packet_socket(void)
{
    return outcome(socket(AF_PACKET, SOCK_RAW, 0) >= 0);
}

static int serve(void)
{
    return outcome(listen(socket(AF_INET, SOCK_STREAM, 0), 1) == 0);
}

static int make_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return DONE;
}

static int trace(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return DONE;
}

static int change_user(void)
{
    return outcome(setuid(0) == 0);
}

static int kill_other(void)
{
    return outcome(kill(1, 0) == 0);
}

static int make_runnable(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    return DONE;
}

static int map_runnable(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return outcome(page != MAP_FAILED);
}

static int replace_handler(void)
{
    signal(SIGSYS, SIG_IGN);
    return DONE;
}

static int mount_something(void)
{
    return outcome(syscall(SYS_unshare, 0) == 0);
}

static int open_for(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    return fd >= 0 ? DONE : errno == EACCES ? REFUSED : 1;
}

static int read_inside(void)
{
    return open_for(inside, O_RDONLY);
}

static int write_inside(void)
{
    return open_for(inside, O_WRONLY | O_APPEND | O_CREAT);
}

static int read_beside(void)
{
    return open_for(beside, O_RDONLY);
}

static int write_beside(void)
{
    return open_for(beside, O_WRONLY);
}

#define SYSFS "/sys/class/net/lo/statistics/rx_missed_errors"

static int read_sysfs(void)
{
    return open_for(SYSFS, O_RDONLY);
}

static int replace_inside(void)
{
    char fresh[sizeof inside + 8];
    snprintf(fresh, sizeof fresh, "%s.new", inside);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    return outcome(fd >= 0 && write(fd, "x", 1) == 1 && rename(fresh, inside) == 0);
}

static int remove_beside(void)
{
    return outcome(unlink(beside) == 0);
}

static int send_to_terminal(void)
{
    char c = 'x';
    ioctl(STDERR_FILENO, TIOCSTI, &c);
    return DONE;
}

static int ask_terminal(void)
{
    return isatty(STDERR_FILENO) ? 1 : DONE;
}

static void *thread(void *user)
{
    return user;
}

static int start_thread(void)
{
    pthread_t id;
    int here = 0;
    void *back = NULL;
    return outcome(pthread_create(&id, NULL, thread, &here) == 0 && pthread_join(id, &back) == 0 &&
                   back == &here);
}

static void *open_socket_there(void *user)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? user : NULL;
}

static int socket_in_thread(void)
{
    pthread_t id;
    if (pthread_create(&id, NULL, open_socket_there, NULL) != 0)
        return 1;
    pthread_join(id, NULL);
    return DONE;
}

/* ---- tests */

static void test_forbidden(void)
{
    const struct needs none = {0}, all = {.read = true, .write = true, .threads = true};
    const struct needs *const both[] = {&none, &all};
    for (int i = 0; i < 2; i++) {
        CHECK(was_ended(try_inside(both[i], run_program), "execve"));
        CHECK(was_ended(try_inside(both[i], open_socket), "socket"));
        CHECK(was_ended(try_inside(both[i], trace), "ptrace"));
        CHECK(was_ended(try_inside(both[i], change_user), "setuid"));
        CHECK(was_ended(try_inside(both[i], kill_other), "kill"));
        CHECK(was_ended(try_inside(both[i], make_process), "clone"));
        CHECK(was_ended(try_inside(both[i], make_runnable), "mprotect"));
        CHECK(was_ended(try_inside(both[i], map_runnable), "mmap"));
        CHECK(was_ended(try_inside(both[i], replace_handler), "rt_sigaction"));
        CHECK(was_ended(try_inside(both[i], mount_something), "unshare"));
        CHECK(was_ended(try_inside(both[i], send_to_terminal), "ioctl"));
    }
}

static void test_files(void)
{
    const struct needs none = {0}, read = {.read = true}, write = {.write = true};
    CHECK(exited(try_inside(&none, read_inside), REFUSED));
    const bool sysfs = access(SYSFS, F_OK) == 0; /* not in every container */
    CHECK(!sysfs || exited(try_inside(&none, read_sysfs), REFUSED));
    CHECK(exited(try_inside(&none, write_inside), REFUSED));
    CHECK(was_ended(try_inside(&none, remove_beside), "unlink"));
    CHECK(exited(try_inside(&read, read_inside), DONE));
    CHECK(exited(try_inside(&read, write_inside), REFUSED));
    CHECK(exited(try_inside(&read, read_beside), REFUSED));
    CHECK(!sysfs || exited(try_inside(&read, read_sysfs), REFUSED));
    CHECK(exited(try_inside(&read, replace_inside), REFUSED));
    CHECK(exited(try_inside(&write, write_inside), DONE));
    CHECK(exited(try_inside(&write, replace_inside), DONE));
    CHECK(exited(try_inside(&write, read_beside), REFUSED));
    CHECK(exited(try_inside(&write, write_beside), REFUSED));
    CHECK(exited(try_inside(&write, remove_beside), REFUSED));
}

static void test_allowed(void)
{
    const struct needs none = {0}, threads = {.threads = true}, sockets = {.sockets = true};
    CHECK(exited(try_inside(&none, ask_terminal), DONE));
    CHECK(exited(try_inside(&threads, start_thread), DONE));
    int status = try_inside(&none, start_thread);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS); /* unnamed: signals are blocked */
    CHECK(was_ended(try_inside(&threads, socket_in_thread), "socket"));
    CHECK(exited(try_inside(&sockets, open_socket), DONE));
}

/* With sockets: to connect, not to listen or capture, and nothing else; a library that would be
 * loaded fails to. */
static void test_sockets(void)
{
    const struct needs sockets = {.sockets = true, .threads = true, .read = true};
    CHECK(exited(try_inside(&sockets, open_socket), DONE));
    CHECK(exited(try_inside(&sockets, socket_in_thread), DONE));
    CHECK(exited(try_inside(&sockets, start_thread), DONE));
    CHECK(exited(try_inside(&sockets, read_inside), DONE));
    CHECK(exited(try_inside(&sockets, read_beside), REFUSED));
    CHECK(exited(try_inside(&sockets, map_runnable), REFUSED));
    CHECK(was_ended(try_inside(&sockets, open_packet_socket), "socket"));
    CHECK(was_ended(try_inside(&sockets, serve), "listen"));
    CHECK(was_ended(try_inside(&sockets, run_program), "execve"));
    CHECK(was_ended(try_inside(&sockets, make_process), "clone"));
    CHECK(was_ended(try_inside(&sockets, kill_other), "kill"));
    CHECK(was_ended(try_inside(&sockets, make_runnable), "mprotect"));
}

static void test_modes(void)
{
    enum sandbox_mode mode;
    CHECK(sandbox_mode_of("auto", &mode) && mode == SANDBOX_AUTO);
    CHECK(sandbox_mode_of("require", &mode) && mode == SANDBOX_REQUIRE);
    CHECK(sandbox_mode_of("off", &mode) && mode == SANDBOX_OFF);
    CHECK(!sandbox_mode_of("", &mode) && !sandbox_mode_of("of", &mode));
}

/* Whether the kernel has all of it, and the build does not leave it out. */
static bool have_sandbox(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED)
    return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return false;
#endif
#endif
    return prctl(PR_GET_SECCOMP) >= 0 && syscall(444, NULL, 0, 1) > 0; /* 444: Landlock's version */
}

static void make_file(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    close(fd);
}

int main(void)
{
    char folder[sizeof directory + 16], outside[sizeof directory + 16];
    if (!mkdtemp(directory))
        return 1;
    snprintf(folder, sizeof folder, "%s/told", directory);
    snprintf(outside, sizeof outside, "%s/other", directory);
    CHECK(mkdir(folder, 0700) == 0 && mkdir(outside, 0700) == 0);
    make_file(inside, sizeof inside, "told/file");
    make_file(beside, sizeof beside, "other/file");
    make_file(said, sizeof said, "said");
    test_modes();
    if (have_sandbox()) {
        test_forbidden();
        test_files();
        test_allowed();
        test_sockets();
    }
    unlink(inside);
    unlink(beside);
    unlink(said);
    rmdir(folder);
    rmdir(outside);
    rmdir(directory);
    return TEST_END();
}
