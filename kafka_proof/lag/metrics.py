"""The lag of consumer groups for Prometheus: prometheus_client writes the metrics, one look for each scrape."""

import socket
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector

from kafka_proof.client.text import printable

_GROUP = ("group",)
_TOPIC = ("topic", "partition")
_PARTITION = ("group", "topic", "partition")
_METRICS = (  # name, description, labels, key of the value in the report
    ("kafka_consumergroup_lag", "Offsets left to read.", _PARTITION, "lag"),
    (
        "kafka_consumergroup_lag_seconds",
        "Age of the first message left. At least this when the group was behind before the first scrape.",
        _PARTITION,
        "time_lag",
    ),
    ("kafka_consumergroup_current_offset", "The committed offset.", _PARTITION, "committed"),
    ("kafka_topic_partition_current_offset", "The offset that the next message gets.", _TOPIC, "end"),
    ("kafka_topic_partition_oldest_offset", "The first offset that still exists.", _TOPIC, "start"),
    (
        "kafka_consumergroup_state",
        "1 for the state that the partition is in: OK, UNCOMMITTED, WARN, OUT_OF_RANGE, REWIND, STALL or STOP.",
        (*_PARTITION, "state"),
        "state",
    ),
    ("kafka_consumergroup_members", "Members of the group.", _GROUP, "members"),
    (
        "kafka_consumergroup_info",
        "1, with the type of the group (classic, consumer, share, streams, connect, …) and Kafka's state of it.",
        (*_GROUP, "type", "kafka_state"),
        "kafka_state",
    ),
)


class _Report(Collector):
    """A report of `kafka_proof.lag.report.report` as metrics. Unknown values have no sample."""

    def __init__(self, report):
        self._groups = report["groups"]
        self._partitions = [row for group in self._groups for row in group["partitions"]]

    def collect(self):
        for name, description, labels, key in _METRICS:
            metric = GaugeMetricFamily(name, description, labels=labels)
            rows = self._groups if "partition" not in labels else self._partitions
            # By labels: several groups read a partition, and its offsets are one sample.
            known = {tuple(printable(row[label]) for label in labels): row[key] for row in rows if row[key] is not None}
            for values, value in known.items():
                metric.add_metric(values, 1 if isinstance(value, str) else value)
            yield metric


def registry(report):
    """Return a registry with the metrics of one report."""
    found = CollectorRegistry(auto_describe=True)  # so that a scrape can select metrics by name[]
    found.register(_Report(report))
    return found


def server(host, port, look):
    """Return an HTTP server; `serve_forever()` runs it. GET /metrics answers with a look of that moment.

    `look()` returns (200, report) or (503, reason), one call at a time. Raises OSError, whose message is one line, when
    the address cannot be used.
    """
    one_at_a_time = threading.Lock()
    shown = f"[{host}]" if ":" in host else host

    def application(environ, start_response):
        if environ["PATH_INFO"] != "/metrics":
            return _say(start_response, "404 Not Found", "Ask for /metrics.")
        with one_at_a_time:
            status, seen = look()
        if status != 200:
            return _say(start_response, "503 Service Unavailable", seen)
        return make_wsgi_app(registry(seen))(environ, start_response)

    class Server(ThreadingWSGIServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, request, client_address):
            if not isinstance(sys.exception(), ConnectionError | TimeoutError):  # a client that went away or is silent
                super().handle_error(request, client_address)

        @property
        def url(self):
            return f"http://{shown}:{self.server_port}/metrics"

    try:
        http = Server((host, port), _Handler)
    except OSError as error:
        raise OSError(f"cannot listen on {shown}:{port}: {error.strerror}. Choose another address.") from None
    http.set_app(application)
    return http


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds, for a client that connects and sends nothing

    def log_message(self, *_):
        """Log nothing: a line for each scrape has no use."""


def _say(start_response, status, text):
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]
