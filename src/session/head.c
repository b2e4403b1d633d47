/* SPDX-License-Identifier: BSD-2-Clause */
/* The first bytes of a side, and of what may be TLS, wait until a header and what follows it are there: no verdict may depend on where segments end. */
#include "session/state.h"

/* A record header may begin here, or goes on that was begun before the other side spoke: it is judged when it is whole. */
static bool in_header(const struct session *s, enum side from)
{
    const struct handshake *h = s->handshake;
    if (from == SIDE_CLIENT && s->mode == SESSION_SMTP && s->dialog.expect == SMTP_EXPECT_TLS)
        return true;
    return h && !h->begun[from] && (s->mode == SESSION_TLS || h->record[from].have);
}

/* Mostly called with nothing to do: a segment is longer than this. Of a handshake the type of its message belongs to what is judged. */
bool session_hold(struct sessions *ss, struct session *s, enum side from, struct reader *input)
{
    struct slice bytes = {input->next, input->left};
    if (bytes.length > TLS_RECORD_HEADER || !bytes.length || s->settling)
        return false;
    if (bytes.length == TLS_RECORD_HEADER && bytes.data[0] != TLS_HANDSHAKE)
        return false;
    bool may_be = !s->spoke[from] || session_may_be_tls(bytes);
    if (!in_header(s, from) && (s->mode != SESSION_SMTP || !may_be))
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
