# Who fell back to clear text: time, client, server, this session, the one that had failed.
inputs | select(.findings // [] | index("plaintext_fallback"))
| [ .time, .client.ip, .server.ip, .uid, .fallback_of.uid ] | @tsv
