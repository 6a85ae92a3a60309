"""A workload that can be verified, for any Kafka: run it during a fault or an operation, and it reports lost messages.

    kafka-workload --seconds 60            on its own topic; Ctrl-C or SIGTERM ends it early
    kafka-workload --topic orders          on one that exists; its messages stay there
    kafka-workload --report out.json       the whole result

    with Workload(arguments, topic, group) as workload:
        restart_a_broker()
    assert workload.result["problems"] == []

An idempotent producer with acks=all sends numbered messages of several keys at a steady rate, also while no broker
acknowledges them. Members of one group read them and commit afterwards. An observer reads the committed offsets. In the
end the whole topic is read again without the group, and audit.py compares.

Exit status: 0, nothing was lost, doubled, out of order or moved back; 1, something was; 2, it could not run.
"""

import contextlib
import datetime
import json
import signal
import sys
import threading

from kafka.errors import KafkaError

from kafka_proof.advice import explained
from kafka_proof.client import command
from kafka_proof.client.connection import NoKafkaError, connect
from kafka_proof.client.properties import ClientPropertiesError, kafka_python
from kafka_proof.cluster.rights import GRANT, missing_to_work
from kafka_proof.cluster.temporary import new_prefix
from kafka_proof.workload.producer import Load
from kafka_proof.workload.run import DRAIN, Workload, removed, topic_of_its_own


@command.entry
def main(argv=None):
    """Run as a command. Returns the exit status."""
    parser = command.Parser("kafka-workload", __doc__)
    command.add_connection_options(parser)
    parser.add_argument("--topic", metavar="NAME", help="one that exists (default: its own, which it removes)")
    add, above_zero = parser.add_argument, command.above_zero
    add("--seconds", type=command.duration, default=60, help="how long to send (default: %(default)s)")
    add("--rate", type=above_zero(float, "messages", 10**6), default=200, help="in a second (default: %(default)s)")
    add("--members", type=above_zero(int, "members", 1000), default=3, help="of the group (default: %(default)s)")
    add(
        "--delivery-timeout",
        metavar="SECONDS",
        type=command.duration,
        default=120,
        help="then give up (default: %(default)s)",
    )
    add("--report", metavar="FILE", help="write the result there, as JSON")
    options = parser.parse_args(argv)
    command.quiet()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(
        seconds=options.seconds + 2 * options.delivery_timeout + 2 * DRAIN
    )
    prefix, workload, failed = new_prefix("workload", until), None, command.OK
    try:
        arguments = kafka_python(command.properties_of(options))
        with contextlib.ExitStack() as stack:
            # Before anything is sent: after the run, a result that cannot be written is lost.
            report = stack.enter_context(open(options.report, "w", encoding="utf-8")) if options.report else None
            _require_rights(arguments, prefix, options)
            seconds = options.timeout
            topic = options.topic or stack.enter_context(topic_of_its_own(arguments, prefix, seconds=seconds))
            stack.enter_context(removed(arguments, prefix, topics=False, seconds=seconds))
            load = Load(options.rate, options.members, options.seconds, options.delivery_timeout)
            with Workload(arguments, topic, f"{prefix}group", load) as workload:
                while workload.sending and not stop.wait(0.2):
                    pass
            if report:
                json.dump(workload.result, report, indent=2)
    except (ClientPropertiesError, NoKafkaError, RightsError, KafkaError, AssertionError, OSError) as error:
        failed = command.fail(explained(error))
    result = workload and workload.result
    if not result:
        return failed
    print(summary(result))  # also when the report or the removal of its topic failed: a loss is never hidden
    return command.PROBLEM if result["problems"] else failed


def _require_rights(arguments, prefix, options):
    """Raise RightsError with all missing rights: without one of them, messages only stay where they are."""
    with connect(arguments, options.timeout) as admin:
        operations = ("WRITE", "READ") if options.topic else ("WRITE", "READ", "DELETE")
        if missing := missing_to_work(admin, prefix, options.topic, operations):
            raise RightsError(f"this client may not: {', '.join(missing)}. {GRANT}")


class RightsError(Exception):
    """The client lacks rights. The message names all of them."""


def summary(result):
    """Return the result in a few lines."""
    shown = ("sent", "acked", "refused", "consumed", "lost", "duplicated", "redelivered")
    lines = [", ".join(f"{name} {result[name]}" for name in shown)]
    lines.append(f"longest stall: {result['produce_stall']} s produce, {result['consume_stall']} s consume")
    return "\n".join([*lines, *(f"PROBLEM: {problem}" for problem in result["problems"])])


if __name__ == "__main__":
    sys.exit(main())
