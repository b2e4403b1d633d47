/* SPDX-License-Identifier: BSD-2-Clause */
/* What the process may still do once packets come: files by Landlock, system calls by seccomp. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/memory.h"
#include "capture/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct sandbox {
    enum sandbox_mode mode;
    struct log *log;
    int ruleset; /* of Landlock; -1: none */
    bool files, threads, sockets;
};

bool sandbox_mode_of(const char *word, enum sandbox_mode *mode)
{
    static const char *const words[] = {"auto", "require", "off"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0) {
            *mode = (enum sandbox_mode)i;
            return true;
        }
    return false;
}

/* ---- Landlock, by number: neither the C library nor all kernel headers have it */

enum {
    SYS_LANDLOCK_CREATE = 444, /* the same on every architecture */
    SYS_LANDLOCK_ADD = 445,
    SYS_LANDLOCK_RESTRICT = 446,
    LANDLOCK_VERSION = 1,
    LANDLOCK_PATH_BENEATH = 1
};

#define ACCESS_EXECUTE     (UINT64_C(1) << 0)
#define ACCESS_WRITE_FILE  (UINT64_C(1) << 1)
#define ACCESS_READ_FILE   (UINT64_C(1) << 2)
#define ACCESS_READ_DIR    (UINT64_C(1) << 3)
#define ACCESS_REMOVE_FILE (UINT64_C(1) << 5)
#define ACCESS_MAKE_REG    (UINT64_C(1) << 8)
#define ACCESS_TRUNCATE    (UINT64_C(1) << 14)

struct landlock_attributes {
    uint64_t files, network, scoped;
};

struct landlock_path {
    uint64_t access;
    int32_t directory;
} __attribute__((packed));

/* Everything that a kernel of this ABI can forbid, with the size of the attributes it knows. */
static struct landlock_attributes landlock_all(long abi, size_t *size)
{
    static const unsigned file_bits[] = {13, 14, 15, 15,
                                         16}; /* by ABI: execute ... ioctl on devices */
    struct landlock_attributes all = {.files =
                                          (UINT64_C(1) << file_bits[abi > 5 ? 4 : abi - 1]) - 1};
    *size = sizeof all.files;
    if (abi >= 4) {
        all.network = 3; /* bind, connect */
        *size = sizeof all.files + sizeof all.network;
    }
    if (abi >= 6) {
        all.scoped = 3; /* abstract sockets, signals */
        *size = sizeof all;
    }
    return all;
}

static uint64_t landlock_known(void)
{
    size_t size;
    long abi = syscall(SYS_LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION);
    return abi > 0 ? landlock_all(abi, &size).files : 0;
}

static int landlock_create(bool sockets)
{
    size_t size;
    long abi = syscall(SYS_LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION);
    if (abi <= 0)
        return -1;
    struct landlock_attributes all = landlock_all(abi, &size);
    if (sockets)
        all.network &= 1; /* to bind stays forbidden */
    return (int)syscall(SYS_LANDLOCK_CREATE, &all, size, 0);
}

static void landlock_allow(int ruleset, const char *path, uint64_t access)
{
    struct stat status;
    struct landlock_path rule = {.access = access & landlock_known(),
                                 .directory = open(path, O_PATH | O_CLOEXEC)};
    if (rule.directory < 0)
        return; /* opening it will fail as well, and be reported */
    if (fstat(rule.directory, &status) == 0 && !S_ISDIR(status.st_mode))
        rule.access &= ACCESS_READ_FILE | ACCESS_WRITE_FILE | ACCESS_TRUNCATE;
    syscall(SYS_LANDLOCK_ADD, ruleset, LANDLOCK_PATH_BENEATH, &rule, 0);
    close(rule.directory);
}

/* ---- needs */

struct sandbox *sandbox_new(enum sandbox_mode mode, struct log *log)
{
    struct sandbox *sandbox = memory_new(sizeof *sandbox);
    if (!sandbox) {
        log_error(log, "%s", strerror(ENOMEM));
        return NULL;
    }
    *sandbox = (struct sandbox){.mode = SANITIZED ? SANDBOX_OFF : mode, .log = log, .ruleset = -1};
    if (sandbox->mode != SANDBOX_OFF)
        sandbox->ruleset = landlock_create(false);
    return sandbox;
}

void sandbox_read(struct sandbox *sandbox, const char *path)
{
    if (!path || strcmp(path, "-") == 0)
        return;
    sandbox->files = true;
    if (sandbox->ruleset >= 0)
        landlock_allow(sandbox->ruleset, path, ACCESS_READ_FILE | ACCESS_READ_DIR);
}

void sandbox_write(struct sandbox *sandbox, const char *path)
{
    if (!path || strcmp(path, "-") == 0)
        return;
    sandbox->files = true;
    const char *slash = strrchr(path, '/');
    char *directory = slash == path ? strdup("/")
                      : slash       ? strndup(path, (size_t)(slash - path))
                                    : strdup(".");
    if (directory && sandbox->ruleset >= 0)
        landlock_allow(sandbox->ruleset, directory,
                       ACCESS_READ_FILE | ACCESS_READ_DIR | ACCESS_WRITE_FILE | ACCESS_MAKE_REG |
                           ACCESS_REMOVE_FILE | ACCESS_TRUNCATE);
    free(directory);
}

void sandbox_threads(struct sandbox *sandbox)
{
    sandbox->threads = true;
}

void sandbox_sockets(struct sandbox *sandbox)
{
    sandbox->sockets = true;
    if (sandbox->ruleset < 0)
        return;
    close(sandbox->ruleset);
    sandbox->ruleset = landlock_create(true);
}

/* ---- seccomp */

/* Names for the handler, which may not allocate; nothing writes them once the filter is there. */
enum { CALLS_NAMED = 512 };
static char *call_names[CALLS_NAMED];

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

/* A forbidden call: names it, then ends as the kernel would have ended the process. */
static void on_forbidden(int signal, siginfo_t *info, void *context)
{
    (void)context;
    unsigned call = (unsigned)info->si_syscall;
    char number[16], *at = number + sizeof number - 1;
    *at = '\0';
    for (unsigned rest = call; at == number + sizeof number - 1 || rest; rest /= 10)
        *--at = (char)('0' + rest % 10);
    say("mxtap: sandbox: forbidden system call ");
    say(call < CALLS_NAMED && call_names[call] ? call_names[call] : at);
    say("; ended (a defect: please report it; --sandbox=off goes on without)\n");
    raise(signal); /* its handler is gone by now: SA_RESETHAND */
    _exit(1);
}

static bool watch_forbidden(void)
{
    struct sigaction action = {.sa_sigaction = on_forbidden,
                               .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER)};
    for (int call = 0; call < CALLS_NAMED; call++)
        call_names[call] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
    return sigaction(SIGSYS, &action, NULL) == 0;
}

/* What any run needs: to read, write and wait on what is open, memory, time, signals, an end. */
static const int calls_always[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(fstat64),
    SCMP_SYS(fstatat64),
    SCMP_SYS(statx),
    SCMP_SYS(lseek),
    SCMP_SYS(_llseek),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fcntl),
    SCMP_SYS(fcntl64),
    SCMP_SYS(dup),
    SCMP_SYS(fadvise64),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(tgkill),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrusage),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    /* of the capture's own socket */
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
};

/* With files to open: Landlock says which. */
static const int calls_files[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),   SCMP_SYS(getdents64), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(access),   SCMP_SYS(faccessat),  SCMP_SYS(stat),
    SCMP_SYS(lstat),      SCMP_SYS(rename),   SCMP_SYS(renameat),   SCMP_SYS(renameat2),
    SCMP_SYS(unlink),     SCMP_SYS(unlinkat), SCMP_SYS(getcwd),     SCMP_SYS(fchmod),
    SCMP_SYS(umask),      SCMP_SYS(flock),
};

static const int calls_threads[] = {SCMP_SYS(set_robust_list), SCMP_SYS(rseq)};

/* To connect, never to listen. */
static const int calls_sockets[] = {
    SCMP_SYS(connect),  SCMP_SYS(bind),     SCMP_SYS(sendto),      SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(getpeername), SCMP_SYS(shutdown),
    SCMP_SYS(uname),    SCMP_SYS(pipe),     SCMP_SYS(pipe2),
};

/* Of the internet; of the system's resolver and name service cache; to ask which addresses the
 * system has, by which getaddrinfo sorts what it finds. */
static const scmp_datum_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};

/* Questions only: is it a terminal (isatty, by two generations of the C library)? is the interface
 * that went down still there (libpcap)? */
static const scmp_datum_t controls[] = {TCGETS, 0x802c542a /* TCGETS2 */, SIOCGIFFLAGS};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return status;
}

/* The modules of name services that are not loaded by now stay so: they fail, but end nothing. */
static int allow_sockets(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
    int bad = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(mmap), 1, code);
    bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(mmap2), 1, code);
    bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0));
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                SCMP_A0(SCMP_CMP_EQ, families[i], 0));
    return bad;
}

/* Calls whose arguments decide, and those that libraries make in vain, which fail. */
static int allow_some(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
    const uint32_t yes = SCMP_ACT_ALLOW, no = SCMP_ACT_ERRNO(ENOSYS);
    int bad = 0;
    /* no memory becomes code, and no handler replaces ours */
    const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    bad |= seccomp_rule_add(filter, yes, SCMP_SYS(mprotect), 1, no_code);
    bad |= seccomp_rule_add(filter, yes, SCMP_SYS(mmap), 1, no_code);
    bad |= seccomp_rule_add(filter, yes, SCMP_SYS(mmap2), 1, no_code);
    bad |=
        seccomp_rule_add(filter, yes, SCMP_SYS(rt_sigaction), 1, SCMP_A0(SCMP_CMP_NE, SIGSYS, 0));
    /* only to read limits: sysconf and pthread_create ask */
    bad |= seccomp_rule_add(filter, yes, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0, 0));
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        bad |=
            seccomp_rule_add(filter, yes, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, controls[i], 0));
    if (sandbox->threads) {
        bad |= seccomp_rule_add(filter, yes, SCMP_SYS(clone), 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
        bad |= seccomp_rule_add(filter, no, SCMP_SYS(clone3), 0); /* its flags cannot be seen */
        bad |= seccomp_rule_add(filter, yes, SCMP_SYS(prctl), 1,
                                SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
    }
    if (sandbox->sockets)
        bad |= allow_sockets(filter);
    if (!sandbox->files) {
        bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
        bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open), 0);
    }
    return bad;
}

static int seccomp_close(const struct sandbox *sandbox)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    if (!filter)
        return -ENOMEM;
    int status = allow(filter, calls_always, sizeof calls_always / sizeof *calls_always);
    if (status == 0 && sandbox->files)
        status = allow(filter, calls_files, sizeof calls_files / sizeof *calls_files);
    if (status == 0 && sandbox->threads)
        status = allow(filter, calls_threads, sizeof calls_threads / sizeof *calls_threads);
    if (status == 0 && sandbox->sockets)
        status = allow(filter, calls_sockets, sizeof calls_sockets / sizeof *calls_sockets);
    if (status == 0)
        status = allow_some(filter, sandbox);
    if (status == 0)
        status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (status == 0)
        status = watch_forbidden() ? seccomp_load(filter) : -errno;
    seccomp_release(filter);
    return status;
}

/* ---- closing */

/* The first local time reads the zone's file; the first formatted error the message catalogue. */
static void warm_up(void)
{
    tzset();
    (void)strerror(ENOENT);
}

/* True where going on without is what the mode says. */
static bool without(const struct sandbox *sandbox, const char *what, int error)
{
    if (sandbox->mode == SANDBOX_REQUIRE) {
        log_error(sandbox->log, "sandbox: no %s: %s", what, strerror(error));
        return false;
    }
    log_warning(sandbox->log, "sandbox: going on without %s: %s (--sandbox=off if that is wanted)",
                what, strerror(error));
    return true;
}

bool sandbox_enter(struct sandbox *sandbox)
{
    if (sandbox->mode == SANDBOX_OFF)
        return true;
    warm_up();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return without(sandbox, "no_new_privs", errno);
    if (sandbox->ruleset < 0 && !without(sandbox, "Landlock", ENOSYS))
        return false;
    if (sandbox->ruleset >= 0 && syscall(SYS_LANDLOCK_RESTRICT, sandbox->ruleset, 0) != 0 &&
        !without(sandbox, "Landlock", errno))
        return false;
    int status = seccomp_close(sandbox);
    return status == 0 || without(sandbox, "seccomp", -status);
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    if (sandbox->ruleset >= 0)
        close(sandbox->ruleset);
    memory_free(sandbox);
}
