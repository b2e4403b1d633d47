# SPDX-License-Identifier: BSD-2-Clause
"""A ClickHouse server of our own for the table and the queries of contrib/clickhouse."""
import os
import re
import shutil
import socket
import subprocess
import time

import harness

FOLDER = os.path.join(harness.TOP, "contrib", "clickhouse")
CONFIG = """<yandex><logger><level>error</level><log>{top}/log</log></logger>
<tcp_port>{port}</tcp_port><listen_host>127.0.0.1</listen_host><path>{top}/data/</path>
<tmp_path>{top}/tmp/</tmp_path><users_config>{top}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<kafka><auto_offset_reset>smallest</auto_offset_reset></kafka>
<mark_cache_size>5368709</mark_cache_size></yandex>"""
# no event has a tab: with it between columns, CSV takes a line as it is
USERS = """<yandex><profiles><default><format_csv_delimiter>&#9;</format_csv_delimiter></default>
</profiles><users><default><password></password>
<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
</users><quotas><default><interval><duration>3600</duration><queries>0</queries><errors>0</errors>
<result_rows>0</result_rows><read_rows>0</read_rows><execution_time>0</execution_time></interval>
</default></quotas></yandex>"""


def missing():
    lacks = [name for name in ("clickhouse-server", "clickhouse-client") if not shutil.which(name)]
    return ", ".join(lacks) + " not here" if lacks else None


# It knows zones by their names in the database, not as POSIX writes them.
ENVIRONMENT = dict(os.environ, TZ="UTC")


class Server:
    """Runs while the context lasts, in its folder."""

    def __init__(self, top):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.config = os.path.join(top, "config.xml")
        for path, text in ((self.config, CONFIG), (os.path.join(top, "users.xml"), USERS)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.format(top=top, port=self.port))

    def __enter__(self):
        self.process = subprocess.Popen(["clickhouse-server", "--config-file=" + self.config],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=ENVIRONMENT)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def ask(self, data, *options):
        done = subprocess.run(["clickhouse-client", "--port", str(self.port), *options], input=data,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              env=ENVIRONMENT, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode()[-500:])
        return done.stdout.decode()


def load(server, events):
    with open(os.path.join(FOLDER, "table.sql"), "rb") as file:
        server.ask(b"DROP TABLE IF EXISTS mxtap;" + file.read(), "--multiquery")
    # as the sed of table.sql
    server.ask(events.replace(b"\\", b"\\\\"), "-q", "INSERT INTO mxtap (line) FORMAT TabSeparated")
    if sorted(lines_of(server)) != sorted(events.splitlines()):
        raise RuntimeError("lines were changed on their way in")


def connect(server, broker):
    """
    The statements of kafka.sql, in the words of 18.16: it has no JSONAsString, and a view does not
    compute columns of the table that it feeds.
    """
    with open(os.path.join(FOLDER, "table.sql"), encoding="utf-8") as file:
        table = file.read().replace("MATERIALIZED", "DEFAULT")
    with open(os.path.join(FOLDER, "kafka.sql"), encoding="utf-8") as file:
        text = file.read()
    columns = re.findall(r"^    (\w+) [\w()]+ DEFAULT\s+(.+?)(?:,?)\n(?=    \w+ |\))", table, re.M | re.S)
    for old, new in (("broker1:9092", broker), ("'JSONAsString'", "'CSV', kafka_row_delimiter = '\\n'"),
                     ("SELECT line FROM", "SELECT line, %s FROM" % ", ".join(
                         "%s AS %s" % (value, name) for name, value in columns))):
        assert text.count(old) >= 1
        text = text.replace(old, new)
    server.ask(("DROP TABLE IF EXISTS mxtap;" + table + text).encode(), "--multiquery")


def lines_of(server):
    return server.ask(b"SELECT line FROM mxtap FORMAT TabSeparatedRaw").encode().splitlines()


def questions(server):
    """A function that answers one by its name."""
    with open(os.path.join(FOLDER, "queries.sql"), encoding="utf-8") as file:
        parts = file.read().split("\n-- ")[1:]
    queries = {part.split(":", 1)[0]: part.split("\n", 1)[1] for part in parts}
    return lambda name: [line.split("\t") for line in
                         server.ask(queries[name].encode(), "--multiquery").splitlines()]
