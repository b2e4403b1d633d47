/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks proxy_parse: what it says of the first bytes holds for any more that follow, and of a
 * header's beginning it says that more is needed. */
#define FUZZ_QUIET
#include "fuzz_help.h"
#include "proto/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header header, part;
    enum proxy_status status = proxy_parse((struct slice){data, size}, &header);
    bool whole = status == PROXY_CLIENT || status == PROXY_LOCAL;
    if (whole)
        must(header.size > 0 && header.size <= size && header.size <= PROXY_V2_MAX + 16);
    if (status == PROXY_CLIENT)
        must(header.family == 4 || header.family == 6);
    if (status == PROXY_NEED_MORE)
        must(size < PROXY_V2_MAX + 16);
    for (size_t length = 0; length < size && length < PROXY_V2_MAX + 16; length++) {
        enum proxy_status early = proxy_parse((struct slice){data, length}, &part);
        if (whole && length < header.size)
            must(early == PROXY_NEED_MORE);
        else if (early != PROXY_NEED_MORE)
            must(early == status && part.size == header.size && part.family == header.family &&
                 part.client_port == header.client_port);
    }
    return 0;
}
