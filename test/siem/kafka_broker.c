/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A broker for the tests: librdkafka's own, in a process of its own, behind real sockets.
 *
 *     kafka_broker TOPIC PARTITIONS
 *
 * Prints the addresses to connect to. Takes "down", "up" and "error API CODE" (the next request of
 * that kind is answered by that error code), one a line, answers each with "done", and ends with
 * its standard input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { BROKER = 1 };

static void quiet(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

static void obey(rd_kafka_mock_cluster_t *cluster, const char *command)
{
    int api, code;
    if (strcmp(command, "down\n") == 0)
        rd_kafka_mock_broker_set_down(cluster, BROKER);
    else if (strcmp(command, "up\n") == 0)
        rd_kafka_mock_broker_set_up(cluster, BROKER);
    else if (sscanf(command, "error %d %d", &api, &code) == 2)
        rd_kafka_mock_push_request_errors(cluster, (int16_t)api, 1, (rd_kafka_resp_err_t)code);
    else
        exit(2);
    puts("done");
}

int main(int argc, char **argv)
{
    char text[512], command[64];
    if (argc != 3)
        return 2;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, quiet);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    rd_kafka_mock_cluster_t *cluster = handle ? rd_kafka_mock_cluster_new(handle, 1) : NULL;
    if (!cluster || rd_kafka_mock_topic_create(cluster, argv[1], atoi(argv[2]), 1) != 0)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts(rd_kafka_mock_cluster_bootstraps(cluster));
    while (fgets(command, sizeof command, stdin))
        obey(cluster, command);
    return 0;
}
