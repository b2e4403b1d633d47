/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that nobody on the wire can know. */
#include <sys/random.h>

#include "base/siphash.h"

void siphash_new_key(uint64_t key[2], const void *other)
{
    if (getrandom(key, 2 * sizeof(*key), 0) == (ssize_t)(2 * sizeof(*key)))
        return;
    /* An address is at least not the same for everybody. */
    key[0] = (uintptr_t)other;
    key[1] = 0;
}
