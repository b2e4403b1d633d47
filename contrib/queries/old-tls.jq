# Who needs TLS 1.1 or older: peer, direction, who limits, sessions, last seen.
[ inputs
  | select(.tls.established and (.tls.version | IN("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")))
  | .direction as $direction | .tls.limited_by as $limit
  | { peer: (if $direction == "inbound" or ($direction == null and $limit == "client")
             then .client.ip else .server.ip end),
      direction: ($direction // "-"), limited_by: ($limit // "-"), time } ]
| group_by([.peer, .direction, .limited_by])[]
| [ .[0].peer, .[0].direction, .[0].limited_by, length, (map(.time) | max) ] | @tsv
