-- ClickHouse: from Kafka into the table of table.sql, which is made first. Put in your brokers:
--
--   clickhouse-client --multiquery <table.sql
--   sed s/broker1:9092/YOURS/ kafka.sql | clickhouse-client --multiquery
--
-- JSONAsString takes a message as it is; ClickHouse has it since 20.5. Tested by test/run siem with
-- the 18.16 of Debian 12, which lacks it and computes no columns behind a view: there with CSV and a
-- longer SELECT, from a topic that mxtap has written; in the words below it is untested. Kafka may
-- hand on an event twice: count uniqExact(uid) where that matters.
CREATE TABLE IF NOT EXISTS mxtap_kafka (line String) ENGINE = Kafka
SETTINGS kafka_broker_list = 'broker1:9092', kafka_topic_list = 'mxtap',
    kafka_group_name = 'clickhouse', kafka_format = 'JSONAsString';
CREATE MATERIALIZED VIEW IF NOT EXISTS mxtap_from_kafka TO mxtap AS SELECT line FROM mxtap_kafka;
