"""Report why this client cannot use that broker, and what to change.

Checks in order: the client's properties, name resolution, connection, TLS, protocol, login, version, metadata, every
advertised address from here, certificates, controller, coordinator, partitions, clocks. With --topic and --group, also
the rights of this client. Stops where no later check can work. It changes nothing, except with --write.

Exit status: 0, nothing is wrong; 1, a fault was found; 2, the client's properties cannot be used.
"""

import json
import sys
import time

from kafka_proof.advice import ADVICE
from kafka_proof.client import command
from kafka_proof.client.oauth import user_of
from kafka_proof.client.properties import ClientPropertiesError, kafka_python
from kafka_proof.client.text import printable
from kafka_proof.doctor.checks import Finding, examine
from kafka_proof.doctor.rights import rights
from kafka_proof.doctor.write import write


@command.entry
def main(argv=None, clock=time.time):
    """Print the findings, or JSON. Returns the exit status. `clock` is this machine's, for tests."""
    parser = command.Parser("kafka-doctor", __doc__)
    command.add_connection_options(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--write", action="store_true", help="create a topic, write, read, compare the clocks, and remove the topic"
    )
    parser.add_argument("--topic", metavar="NAME", help="check whether this client may write to it and read from it")
    parser.add_argument("--group", metavar="NAME", help="check whether this client may consume in it")
    options = parser.parse_args(argv)
    command.quiet()

    findings = []
    for finding in _examination(options, clock):
        findings.append(finding)
        if not options.json:
            print(printable(f"{finding.status:<4}  {finding.check:<11}  {finding.evidence}"), flush=True)
    failed = [finding for finding in findings if finding.status == "FAIL"]
    status = command.PROBLEM if failed else command.OK
    if any(finding.code == "properties" for finding in failed):
        status = command.UNUSABLE

    if options.json:
        report = {
            "exit_status": status,
            "verdict": verdict(findings),
            "findings": [finding._asdict() | {"change": ADVICE.get(finding.code, "")} for finding in findings],
        }
        print(json.dumps(report, indent=2))
    else:
        print(f"\n{printable(verdict(findings))}")
        for code in dict.fromkeys(finding.code for finding in findings if finding.code in ADVICE):
            print(f"change ({code}): {ADVICE[code]}")
    return status


def _examination(options, clock):
    """Yield all Findings, beginning with the one on the properties."""
    try:
        properties = command.properties_of(options)
        arguments = kafka_python(properties)
    except ClientPropertiesError as error:
        yield Finding("properties", "FAIL", str(error), "properties")
        return
    said = f"bootstrap.servers={','.join(arguments['bootstrap_servers'])}, {arguments['security_protocol']}"
    name = "--bootstrap-server" if options.bootstrap_server else options.client_properties
    yield Finding("properties", "ok", f"{name}: {said}")
    if without_effect := ignored(properties):
        protocol = arguments["security_protocol"]
        evidence = f"security.protocol={protocol} makes no use of {', '.join(without_effect)}"
        yield Finding("properties", "warn", evidence, "ignored")

    failed = False
    for finding in examine(
        arguments, options.timeout, clock, lambda link: rights(link, user_of(arguments), options.topic, options.group)
    ):
        failed |= finding.status == "FAIL"
        yield finding
    if options.write and failed:
        yield Finding("write", "skip", "correct the faults above first")
    elif options.write:
        yield from write(arguments, options.timeout, clock)


def ignored(properties):
    """Return the properties about security that security.protocol does not use: list of str."""
    protocol = properties.get("security.protocol", "PLAINTEXT").strip()
    used = {"ssl.": protocol.endswith("SSL"), "sasl.": protocol.startswith("SASL")}
    return sorted(key for key in properties for prefix in used if key.startswith(prefix) and not used[prefix])


def verdict(findings):
    """Return the result in one line."""
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


if __name__ == "__main__":
    sys.exit(main())
