/* SPDX-License-Identifier: BSD-2-Clause */
/* The first bytes of a side, and of what may be TLS, wait until a header is there: no verdict may depend on where segments end. */
#include "session/state.h"

/* Mostly called with nothing to do: a segment is longer than this. */
bool session_hold(struct sessions *ss, struct session *s, enum side from, struct reader *input)
{
    bool open = s->mode == SESSION_SMTP || (s->mode == SESSION_TLS && !s->handshake->heard[from]);
    if (input->left >= TLS_RECORD_HEADER || !input->left || s->settling || !open)
        return false;
    if (s->spoke[from] && !session_may_be_tls((struct slice){input->next, input->left}))
        return false;
    struct session_parts *parts = session_parts(ss, s);
    if (!parts)
        return false;
    parts->head_length[from] = (uint8_t)input->left;
    s->holds = true;
    return reader_copy(input, parts->head[from], input->left);
}

size_t session_head(struct session *s, enum side from, uint8_t head[TLS_RECORD_HEADER])
{
    struct reader held = reader_of(parts_of(s)->head[from], parts_of(s)->head_length[from]);
    size_t length = held.left;
    if (length && reader_copy(&held, head, length))
        s->parts->head_length[from] = 0;
    return length;
}
