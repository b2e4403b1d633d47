-- Passwords in clear: client, server, mechanism, sessions.
SELECT line ->> '$.client.ip' AS client, line ->> '$.server.ip' AS server,
       line ->> '$.smtp.auth_in_clear' AS mechanism, count(*) AS sessions
FROM events
WHERE line ->> '$.smtp.auth_in_clear' IS NOT NULL
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
