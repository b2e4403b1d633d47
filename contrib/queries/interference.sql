-- Who interferes: server, finding, sessions.
SELECT line ->> '$.server.ip' AS server, finding.value AS finding, count(*) AS sessions
FROM events, json_each(line, '$.findings') AS finding
WHERE finding.value IN ('starttls_masked', 'starttls_vanished', 'command_injection',
                        'response_injection', 'tls_downgrade')
GROUP BY 1, 2 ORDER BY 1, 2;
