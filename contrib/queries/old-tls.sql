-- Who needs TLS 1.1 or older: peer, direction, who limits, sessions, last seen.
SELECT CASE WHEN line ->> '$.direction' = 'inbound'
              OR line ->> '$.direction' IS NULL AND line ->> '$.tls.limited_by' = 'client'
            THEN line ->> '$.client.ip' ELSE line ->> '$.server.ip' END AS peer,
       coalesce(line ->> '$.direction', '-') AS direction,
       coalesce(line ->> '$.tls.limited_by', '-') AS limited_by,
       count(*) AS sessions, max(line ->> '$.time') AS last_seen
FROM events
WHERE line ->> '$.tls.established' = 1
  AND line ->> '$.tls.version' IN ('SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1')
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
