-- Blind sensors: name, seconds since its last stats event, seconds without mail, packets dropped and events lost.
WITH last AS (
  SELECT coalesce(line ->> '$.sensor.name', '-') AS name, max(line ->> '$.time') AS time,
         line ->> '$.quiet_s' AS quiet,
         coalesce(line ->> '$.drops.kernel', 0) + coalesce(line ->> '$.drops.interface', 0)
         + coalesce(line ->> '$.counters.events_lost', 0) AS drops
  FROM events WHERE line ->> '$.event_type' = 'stats' GROUP BY 1)
SELECT name, CAST(strftime('%s', 'now') AS INTEGER)
             - CAST(strftime('%s', substr(time, 1, 19)) AS INTEGER) AS age, coalesce(quiet, '-'), drops
FROM last WHERE age > 900 OR quiet IS NULL OR quiet > 900 OR drops > 0 ORDER BY 1;
