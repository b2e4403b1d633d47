# Who interferes: server, finding, sessions.
[ inputs | .server.ip as $server | .findings // [] | .[]
  | select(IN("starttls_masked", "starttls_vanished", "command_injection", "response_injection",
              "tls_downgrade"))
  | [ $server, . ] ]
| group_by(.)[] | [ .[0][0], .[0][1], length ] | @tsv
