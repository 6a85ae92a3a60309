"""Say why this client cannot talk to that broker, and what to change.

Looks in order at the client's properties, name resolution, connection, TLS, protocol, login, version, metadata, every
advertised address from here, controller, coordinator, partitions and clocks, and stops where going on is pointless. It
changes nothing, except with --write.

Exit status: 0 nothing is wrong, 1 a fault was found, 2 there is nowhere to look (the properties cannot be used).
"""

import argparse
import json
import logging
import sys
import time

from kafka_proof.advice import ADVICE
from kafka_proof.client.properties import DEFAULT_PATH, ClientPropertiesError, kafka_python, read, tls_context
from kafka_proof.doctor.checks import Finding, examine
from kafka_proof.doctor.write import write

HEALTHY, FAULT, NOWHERE_TO_LOOK = 0, 1, 2


def main(argv=None, clock=time.time):
    """Print the list, or JSON. Returns the exit status. `clock` is this machine's, for tests."""
    parser = argparse.ArgumentParser(
        prog="kafka-doctor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--client-properties", metavar="FILE", default=DEFAULT_PATH, help="default: %(default)s")
    where.add_argument(
        "--bootstrap-server", metavar="HOST:PORT", help="instead of a file, for a broker without security"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, default=5, help="for each answer (default: 5)")
    parser.add_argument(
        "--write", action="store_true", help="make a topic, write, read, compare the clocks, and remove the topic"
    )
    options = parser.parse_args(argv)
    logging.getLogger("kafka").addHandler(logging.NullHandler())  # what goes wrong is in the findings

    findings = []
    for finding in _examination(options, clock):
        findings.append(finding)
        if not options.json:
            print(f"{finding.status:<4}  {finding.check:<11}  {finding.evidence}", flush=True)
    failed = [finding for finding in findings if finding.status == "FAIL"]
    status = FAULT if failed else HEALTHY
    if any(finding.code == "properties" for finding in failed):
        status = NOWHERE_TO_LOOK

    if options.json:
        report = {
            "exit_status": status,
            "verdict": verdict(findings),
            "findings": [finding._asdict() | {"change": ADVICE.get(finding.code, "")} for finding in findings],
        }
        print(json.dumps(report, indent=2))
    else:
        print(f"\n{verdict(findings)}")
        for code in dict.fromkeys(finding.code for finding in findings if finding.code in ADVICE):
            print(f"change ({code}): {ADVICE[code]}")
    return status


def _examination(options, clock):
    """Yield all Findings, beginning with the one on the properties."""
    try:
        if options.bootstrap_server:
            name, properties = "--bootstrap-server", {"bootstrap.servers": options.bootstrap_server}
        else:
            name, properties = options.client_properties, read(options.client_properties)
        arguments = usable(properties)
    except ClientPropertiesError as error:
        yield Finding("properties", "FAIL", str(error), "properties")
        return
    said = f"bootstrap.servers={','.join(arguments['bootstrap_servers'])}, {arguments['security_protocol']}"
    yield Finding("properties", "ok", f"{name}: {said}")
    if without_effect := ignored(properties):
        protocol = arguments["security_protocol"]
        evidence = f"security.protocol={protocol} makes no use of {', '.join(without_effect)}"
        yield Finding("properties", "warn", evidence, "ignored")

    failed = False
    for finding in examine(arguments, options.timeout, clock):
        failed |= finding.status == "FAIL"
        yield finding
    if options.write and failed:
        yield Finding("write", "skip", "first put right what is wrong above")
    elif options.write:
        yield from write(arguments, options.timeout, clock)


def usable(properties):
    """kafka_python's arguments, for properties that can be used. Raises ClientPropertiesError for what it lets pass.

    That is a login module which is not the mechanism's (Kafka's own tools, which share the file, fail then), and files
    of certificates which cannot be read.
    """
    arguments = kafka_python(properties)
    if mechanism := arguments.get("sasl_mechanism"):
        module = "PlainLoginModule" if mechanism == "PLAIN" else "ScramLoginModule"
        if module not in properties["sasl.jaas.config"]:
            raise ClientPropertiesError(
                f"sasl.mechanism is {mechanism}, and sasl.jaas.config is not of its {module}. Correct one of them."
            )
    if arguments["security_protocol"].endswith("SSL"):
        tls_context(arguments)
    return arguments


def ignored(properties):
    """The properties about security of which security.protocol makes no use: list of str."""
    protocol = properties.get("security.protocol", "PLAINTEXT").strip()
    without = [
        prefix
        for prefix, used in (("ssl.", protocol.endswith("SSL")), ("sasl.", protocol.startswith("SASL")))
        if not used
    ]
    return sorted(key for key in properties if key.startswith(tuple(without)))


def verdict(findings):
    """One line."""
    failed = [finding for finding in findings if finding.status == "FAIL"]
    warned = sum(finding.status == "warn" for finding in findings)
    if failed:
        more = f" (and {len(failed) - 1} more, above)" if len(failed) > 1 else ""
        return f"fault: {failed[0].evidence}{more}"
    shown = {finding.check for finding in findings if finding.status != "skip"}
    unseen = dict.fromkeys(finding.check for finding in findings if finding.check not in shown)
    return (
        "healthy: a client here can use this cluster"
        + (f"; not looked at: {', '.join(unseen)}" if unseen else "")
        + (f"; see the {warned} warning(s) above" if warned else "")
    )


def seconds(text):
    """A time-out from the command line; argparse says that what raises ValueError is no valid `seconds`."""
    if not 0 < float(text) <= 3600:
        raise ValueError(text)
    return float(text)


if __name__ == "__main__":
    sys.exit(main())
