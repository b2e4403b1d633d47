/* SPDX-License-Identifier: BSD-2-Clause */
/* Between opening and the first packet: from whoever may capture to a user who may nothing. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cap-ng.h>

#include "capture/privilege.h"

bool privilege_find(const char *user, struct privilege *privilege, struct log *log)
{
    *privilege = (struct privilege){.uid = getuid(), .gid = getgid()};
    if (!user && geteuid() != 0)
        return true;
    struct passwd *found = getpwnam(user ? user : "mxtap");
    if (!found && !user)
        found = getpwnam("nobody");
    if (!found) {
        log_error(log, "-Z %s: no such user", user ? user : "nobody");
        return false;
    }
    privilege->change = found->pw_uid != geteuid();
    privilege->uid = found->pw_uid;
    privilege->gid = found->pw_gid;
    return true;
}

static bool fail(struct log *log, const char *what)
{
    log_error(log, "cannot give up privileges: %s: %s", what, strerror(errno));
    return false;
}

/* Without CAP_SETPCAP the bounding set stays; nothing can be had from it without new privileges. */
bool privilege_drop(const struct privilege *privilege, struct log *log)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(log, "no_new_privs");
    capng_clear(CAPNG_SELECT_ALL);
    if (privilege->change) {
        errno = 0;
        if (capng_change_id((int)privilege->uid, (int)privilege->gid,
                            CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT) != 0)
            return fail(log, "change of user");
    } else {
        errno = 0;
        capng_apply(CAPNG_SELECT_AMBIENT);
        if (geteuid() == 0)
            capng_apply(CAPNG_SELECT_BOUNDS);
        if (capng_apply(CAPNG_SELECT_CAPS) != 0)
            return fail(log, "capabilities");
    }
    capng_clear(CAPNG_SELECT_BOTH);
    if (capng_get_caps_process() != 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE ||
        (privilege->change && (setuid(0) == 0 || getuid() != privilege->uid))) {
        errno = EPERM;
        return fail(log, "some are left");
    }
    return true;
}
