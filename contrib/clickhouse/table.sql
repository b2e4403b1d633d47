-- ClickHouse: mxtap's events as they are, with columns for what the five questions ask. Tested by
-- test/run siem with the 18.16 that Debian 12 has; newer ones know these functions, too.
--
--   clickhouse-client --multiquery <table.sql
--   sed 's/\\/\\\\/g' events.json |
--       clickhouse-client -q 'INSERT INTO mxtap (line) FORMAT TabSeparated'
--   clickhouse-client --multiquery <queries.sql
CREATE TABLE IF NOT EXISTS mxtap
(
    line String,
    event_type String MATERIALIZED visitParamExtractString(line, 'event_type'),
    uid String MATERIALIZED visitParamExtractString(line, 'uid'),
    time DateTime MATERIALIZED parseDateTimeBestEffort(
        concat(substring(visitParamExtractString(line, 'time'), 1, 19), 'Z')),
    sensor String MATERIALIZED visitParamExtractString(visitParamExtractRaw(line, 'sensor'), 'name'),
    direction String MATERIALIZED visitParamExtractString(line, 'direction'),
    client_ip String MATERIALIZED visitParamExtractString(visitParamExtractRaw(line, 'client'), 'ip'),
    server_ip String MATERIALIZED visitParamExtractString(visitParamExtractRaw(line, 'server'), 'ip'),
    outcome String MATERIALIZED visitParamExtractString(line, 'outcome'),
    starttls String MATERIALIZED visitParamExtractString(visitParamExtractRaw(line, 'smtp'), 'starttls'),
    auth_in_clear String MATERIALIZED
        visitParamExtractString(visitParamExtractRaw(line, 'smtp'), 'auth_in_clear'),
    tls_established UInt8 MATERIALIZED
        visitParamExtractBool(visitParamExtractRaw(line, 'tls'), 'established'),
    tls_version String MATERIALIZED visitParamExtractString(visitParamExtractRaw(line, 'tls'), 'version'),
    tls_cipher String MATERIALIZED visitParamExtractString(visitParamExtractRaw(line, 'tls'), 'cipher'),
    limited_by String MATERIALIZED visitParamExtractString(visitParamExtractRaw(line, 'tls'), 'limited_by'),
    findings Array(String) MATERIALIZED extractAll(visitParamExtractRaw(line, 'findings'), '[a-z0-9_]+'),
    fallback_of String MATERIALIZED
        visitParamExtractString(visitParamExtractRaw(line, 'fallback_of'), 'uid'),
    quiet_s Int64 MATERIALIZED if(visitParamHas(line, 'quiet_s'), visitParamExtractInt(line, 'quiet_s'), -1),
    drops UInt64 MATERIALIZED visitParamExtractUInt(visitParamExtractRaw(line, 'drops'), 'kernel')
        + visitParamExtractUInt(visitParamExtractRaw(line, 'drops'), 'interface')
        + visitParamExtractUInt(visitParamExtractRaw(line, 'counters'), 'events_lost')
)
ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (event_type, time, uid);
