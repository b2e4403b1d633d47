# Passwords in clear: client, server, mechanism, sessions.
[ inputs | select(.smtp.auth_in_clear) | [ .client.ip, .server.ip, .smtp.auth_in_clear ] ]
| group_by(.)[] | [ .[0][], length ] | @tsv
