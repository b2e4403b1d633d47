-- Who fell back to clear text: time, client, server, this session, the one that had failed.
SELECT line ->> '$.time', line ->> '$.client.ip', line ->> '$.server.ip',
       line ->> '$.uid', line ->> '$.fallback_of.uid'
FROM events, json_each(line, '$.findings') AS finding
WHERE finding.value = 'plaintext_fallback';
