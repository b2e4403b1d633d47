-- The five questions of ../queries on the table of table.sql; tested by test/run siem.

-- old-tls: peer, direction, who limits, sessions, last seen
SELECT if(direction = 'inbound' OR (direction = '' AND limited_by = 'client'), client_ip, server_ip) AS peer,
       direction, limited_by, count() AS sessions, max(time) AS last_seen
FROM mxtap WHERE tls_established AND tls_version IN ('SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1')
GROUP BY peer, direction, limited_by ORDER BY peer, direction, limited_by;

-- fallback: time, client, server, this session, the one that had failed
SELECT time, client_ip, server_ip, uid, fallback_of
FROM mxtap WHERE has(findings, 'plaintext_fallback') ORDER BY time;

-- interference: server, finding, sessions
SELECT server_ip, finding, count() AS sessions FROM mxtap ARRAY JOIN findings AS finding
WHERE finding IN ('starttls_masked', 'starttls_vanished', 'command_injection', 'response_injection',
                  'tls_downgrade')
GROUP BY server_ip, finding ORDER BY server_ip, finding;

-- auth-in-clear: client, server, mechanism, sessions
SELECT client_ip, server_ip, auth_in_clear, count() AS sessions
FROM mxtap WHERE auth_in_clear != ''
GROUP BY client_ip, server_ip, auth_in_clear ORDER BY client_ip, server_ip, auth_in_clear;

-- blind-sensors: name, seconds since the last stats event, seconds without mail (-1: none), drops and events lost
SELECT sensor, now() - last AS age, quiet, lost
FROM (SELECT sensor, max(time) AS last, argMax(quiet_s, time) AS quiet, argMax(drops, time) AS lost
      FROM mxtap WHERE event_type = 'stats' GROUP BY sensor)
WHERE age > 900 OR quiet < 0 OR quiet > 900 OR lost > 0 ORDER BY sensor;
