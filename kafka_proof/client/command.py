"""What every command shares: where Kafka is, how long to wait for an answer, exit statuses, and one-line errors."""

import argparse
import logging
import math
import signal
import sys

from kafka_proof.client.properties import DEFAULT_PATH, ClientPropertiesError, kafka_python, read

OK = 0  # the command did its work and found nothing wrong
PROBLEM = 1  # it did its work and found something wrong, which it reported
UNUSABLE = 2  # it could not do its work, and one line says why
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line: what is wrong, and where to look."""

    def __init__(self, prog, description, **more):
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, formatter_class=formatter, allow_abbrev=False, **more)

    def error(self, message):
        self.exit(UNUSABLE, f"{self.prog}: {message}. See {self.prog} --help.\n")


def add_connection_options(parser, timeout=5):
    """Add --bootstrap-server, --client-properties and --timeout. `timeout`: the default, in seconds."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--client-properties", metavar="FILE", default=DEFAULT_PATH, help="default: %(default)s")
    where.add_argument("--bootstrap-server", metavar="HOST:PORT", help="a broker without security, instead of a file")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=timeout, help="for each answer (default: %(default)g)"
    )


def properties_of(options):
    """Return the client properties that the options name, dict[str, str]. Raises ClientPropertiesError."""
    if not options.bootstrap_server:
        return read(options.client_properties)
    properties = {"bootstrap.servers": options.bootstrap_server}
    try:
        kafka_python(properties)
    except ClientPropertiesError as error:
        raise ClientPropertiesError(f"--bootstrap-server: {error}") from None
    return properties


def where(options):
    """Return how the options name the cluster, for messages."""
    return options.bootstrap_server or options.client_properties


def seconds(text):
    """Return a number of seconds above 0 and at most 3600, from the command line."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def quiet():
    """Keep kafka-python's log off the terminal: every command says in its own words what went wrong."""
    logging.getLogger("kafka").addHandler(logging.NullHandler())


def end_quietly_with_the_reader():
    """End without a traceback when the reader of the output goes away, as in `| head`."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def fail(message):
    """Print one line to standard error and return UNUSABLE."""
    print(" ".join(str(message).split()), file=sys.stderr)
    return UNUSABLE
