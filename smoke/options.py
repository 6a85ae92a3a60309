"""The suite's options, and their valid values. Those for the connection are the same as in every command."""

import argparse
import re

from kafka_proof.client.command import seconds
from kafka_proof.client.properties import DEFAULT_PATH


def pytest_addoption(parser):
    options = parser.getgroup("kafka", "the Kafka to test")
    options.addoption("--bootstrap-server", metavar="HOST:PORT", help="a broker without security, instead of a file")
    options.addoption(
        "--client-properties",
        metavar="FILE",
        help=f"Kafka's client properties: bootstrap.servers, security.protocol, … (default: {DEFAULT_PATH})",
    )
    options.addoption(
        "--timeout",
        metavar="SECONDS",
        default="5",
        help="for the cluster to answer at first (default: %(default)s)",
    )
    options.addoption(
        "--topic",
        metavar="NAME[:PARTITIONS]",
        help="expect this topic (default: kafka_demo:2 where this project deployed, else none)",
    )
    options.addoption("--read-only", action="store_true", help="run only tests that change nothing")
    options.addoption(
        "--existing-topic",
        metavar="NAME",
        help="write to this topic and create none; runs the tests that this allows",
    )
    options.addoption("--prefix", metavar="WORD", default="smoke", help="prefix of all names (default: %(default)s)")
    options.addoption("--deadline", metavar="SECONDS", default="180", help="for the whole run (default: %(default)s)")
    options.addoption("--report", metavar="FILE.html", help="write the result as a page for people")


def option_problems(option):
    """Yield the faults of the options, one line each: the option, its value, and a correct value."""
    if option.bootstrap_server and option.client_properties:
        yield "--bootstrap-server and --client-properties both say where Kafka is. Give one."
    if not re.fullmatch("[1-9][0-9]{0,5}", option.deadline):
        yield f"--deadline is {option.deadline!r}. Give a number of seconds, 1 or more."
    try:
        seconds(option.timeout)
    except argparse.ArgumentTypeError as error:
        yield f"--timeout: {error}."
    if not re.fullmatch("[A-Za-z0-9]{1,50}", option.prefix):
        yield f"--prefix is {option.prefix!r}. Use up to 50 letters and digits."
    if option.topic and not re.fullmatch("[A-Za-z0-9._-]+(:[1-9][0-9]{0,5})?", option.topic):
        yield f"--topic is {option.topic!r}. Write NAME or NAME:PARTITIONS."
    if option.existing_topic is not None and not re.fullmatch("[A-Za-z0-9._-]+", option.existing_topic):
        yield f"--existing-topic is {option.existing_topic!r}, which cannot be a topic's name. Write NAME."


def deployed_topic(option):
    """Return (name, number of partitions or None) of the topic that must exist, or None."""
    if option.topic:
        name, _, count = option.topic.partition(":")
        return name, int(count) if count else None
    return None if option.bootstrap_server or option.client_properties else ("kafka_demo", 2)
