"""The lag of consumer groups as Prometheus reads it: its text format 0.0.4, over HTTP."""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PARTITION = ("group", "topic", "partition")
# name, what it is, the labels, and where in the report the value is
_OF_GROUPS = (
    ("kafka_consumergroup_lag", "Offsets left to read.", _PARTITION, "lag"),
    (
        "kafka_consumergroup_lag_seconds",
        "Age of the first message left. At least this when the group was behind before the first scrape.",
        _PARTITION,
        "time_lag",
    ),
    ("kafka_consumergroup_current_offset", "The committed offset.", _PARTITION, "committed"),
)
_OF_TOPICS = (
    ("kafka_topic_partition_current_offset", "The offset that the next message gets.", _PARTITION[1:], "end"),
    ("kafka_topic_partition_oldest_offset", "The first offset that still exists.", _PARTITION[1:], "start"),
)


def exposition(report):
    """Return what `kafka_proof.lag.report.report` returned as text for Prometheus. What is not known is left out."""
    rows = [each for group in report["groups"] for each in group["partitions"]]
    topics = {(each["topic"], each["partition"]): each for each in rows}.values()
    lines = []
    for metrics, of in ((_OF_GROUPS, rows), (_OF_TOPICS, topics)):
        for name, what, labels, key in metrics:
            lines += _metric(name, what, [({label: each[label] for label in labels}, each[key]) for each in of])
    lines += _metric(
        "kafka_consumergroup_state",
        "1 for the state that the partition is in: OK, UNCOMMITTED, WARN, OUT_OF_RANGE, REWIND, STALL or STOP.",
        [({label: each[label] for label in (*_PARTITION, "state")}, each["state"] and 1) for each in rows],
    )
    lines += _metric(
        "kafka_consumergroup_members",
        "Members of the group.",
        [({"group": group["group"]}, group["members"]) for group in report["groups"]],
    )
    return "\n".join(lines) + "\n"


def _metric(name, what, samples):
    known = [(labels, value) for labels, value in samples if value is not None]
    return [
        f"# HELP {name} {what}",
        f"# TYPE {name} gauge",
        *(
            f"{name}{{{','.join(f'{key}={_quoted(text)}' for key, text in labels.items())}}} {value}"
            for labels, value in known
        ),
    ]


def _quoted(text):
    escaped = str(text).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'


def server(host, port, look):
    """Return an HTTP server; `serve_forever()` runs it. GET /metrics answers with a look of that moment.

    `look()` returns (200, report) or (503, reason), one call at a time. Raises OSError, whose message is one line, when
    the address cannot be used.
    """
    one_at_a_time = threading.Lock()
    shown = f"[{host}]" if ":" in host else host

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds, for a client that connects and says nothing

        def do_GET(self):
            if self.path.partition("?")[0] != "/metrics":
                self._answer(404, "Ask for /metrics.\n")
                return
            with one_at_a_time:
                status, seen = look()
            self._answer(status, exposition(seen) if status == 200 else f"{seen}\n")

        def _answer(self, status, text):
            body = text.encode()
            self.send_response(status)
            kind = "text/plain; version=0.0.4; charset=utf-8" if status == 200 else "text/plain; charset=utf-8"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """A line for each scrape helps nobody."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

        def handle_error(self, request, client_address):
            if not isinstance(sys.exception(), ConnectionError):  # a client that went away
                super().handle_error(request, client_address)

        @property
        def url(self):
            return f"http://{shown}:{self.server_port}/metrics"

    try:
        return Server((host, port), Handler)
    except OSError as error:
        raise OSError(f"cannot listen on {shown}:{port}: {error.strerror}. Choose another address.") from None
