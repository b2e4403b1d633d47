/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes a PROXY header off the front of the client's bytes: the client that it names is the one that is reported. */
#include "session/state.h"

static void keep_client(struct sessions *ss, struct session *s, const struct proxy_header *header)
{
    struct session_parts *parts = session_parts(ss, s);
    if (!parts)
        return;
    parts->have_proxied = true;
    parts->proxied = *header;
}

/* Until it is known what the first bytes are they wait, at most as many as a header can have. */
bool session_strip_proxy(struct sessions *ss, struct session *s, struct reader *input)
{
    struct proxy_header header;
    struct slice bytes = {input->next, input->left};
    if (parts_of(s)->wait.length) {
        if (!buffer_append(&ss->pool, &s->parts->wait, bytes, UINT16_MAX)) {
            session_limit(ss, s);
            s->proxy_over = true;
            return true;
        }
        bytes = buffer_slice(&s->parts->wait);
    }
    enum proxy_status status = proxy_parse(bytes, &header);
    if (status == PROXY_NEED_MORE) {
        if (!parts_of(s)->wait.length &&
            !(session_parts(ss, s) && buffer_append(&ss->pool, &s->parts->wait, bytes, UINT16_MAX)))
            session_limit(ss, s);
        reader_skip(input, input->left);
        return false;
    }
    s->proxy_over = true;
    size_t size = status == PROXY_NONE ? 0 : header.size;
    if (status == PROXY_CLIENT)
        keep_client(ss, s, &header);
    /* What waited is part of the bytes that go on; the input's own part of the header is passed over. */
    if (!parts_of(s)->wait.length)
        reader_skip(input, size);
    else
        *input = reader_of(bytes.data + size, bytes.length - size);
    return true;
}
