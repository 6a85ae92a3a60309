"""The suite's options for pytest, by an entry point, so that `pytest --pyargs smoke` knows them in any directory.

It is loaded with every run of pytest where this package is installed, so it imports nothing.
"""

from smoke import DEFAULT_PATH, WARNINGS


def pytest_addoption(parser):
    options = parser.getgroup("kafka", "the Kafka to test (pytest --pyargs smoke)")
    options.addoption("--bootstrap-server", metavar="HOST:PORT", help="a broker without security, instead of a file")
    options.addoption(
        "--client-properties",
        metavar="FILE",
        help=f"Kafka's client properties: bootstrap.servers, security.protocol, … (default: {DEFAULT_PATH})",
    )
    options.addoption(
        "--topic",
        metavar="NAME[:PARTITIONS]",
        help="a topic that is to be there (default: kafka_demo:2 where this project deployed, else none)",
    )
    options.addoption("--read-only", action="store_true", help="run only what changes nothing")
    options.addoption(
        "--existing-topic",
        metavar="NAME",
        help="write to this topic, where none may be made; runs what it can prove",
    )
    options.addoption(
        "--prefix", metavar="WORD", default="smoke", help="what all names begin with (default: %(default)s)"
    )
    options.addoption("--deadline", metavar="SECONDS", default="180", help="for the whole run (default: %(default)s)")
    options.addoption("--report", metavar="FILE.html", help="write what was found as a page for people")


def pytest_configure(config):
    # As in smoke/__init__.py, which pytest overrides. conftest.py would be too late: it imports kafka-python.
    for message in WARNINGS:
        config.addinivalue_line("filterwarnings", f"ignore:{message}:DeprecationWarning")
    # The evidence goes into the XML of --junit-xml all the same; readers of it skip what they do not know.
    config.addinivalue_line("filterwarnings", "ignore:record_property is incompatible:pytest.PytestWarning")
