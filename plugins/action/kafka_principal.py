"""Let the deployment's principal log in. ansible-doc -t module kafka_principal."""

import shlex

from kafka_proof.action import Action, ActionError
from kafka_proof.client.connection import links
from kafka_proof.client.link import Fault
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.redact import masked
from kafka_proof.client.wait import attempts
from kafka_proof.deploy.clients import password_of
from kafka_proof.deploy.node import CONFIG
from kafka_proof.deploy.security import NODE_CLIENT, SCRAM

_SECONDS = 2  # for each step of a login
_SPREAD = 30  # seconds until every broker knows a new user
_ITERATIONS = 4096  # Kafka's own number
# The password arrives by standard input, in the form that the command reads from a file: no `ps` shows it.
_SCRIPT = """
docker exec -i {container} /opt/kafka/bin/kafka-configs.sh --bootstrap-server {address} \\
    --command-config {config} --alter --entity-type users --entity-name {user} --add-config-file /dev/stdin <<'END'
{mechanism}=iterations={iterations},password={password}
END
"""


class ActionModule(Action):
    def act(self, arguments):
        client = arguments["client"]
        if client.get("sasl.mechanism") not in SCRAM or self.check_mode:
            return {}
        asked = kafka_python(client)
        # The wait for the brokers reports any other fault.
        if _last(asked, arguments["timeout"], lambda code: code != "login-refused") != "login-refused":
            return {}
        self._create(arguments, client, asked["sasl_plain_username"])
        if _last(asked, _SPREAD, lambda code: code == "login-refused") == "login-refused":
            raise ActionError(f"{client['bootstrap.servers']}: refuses the login of the user that was made.", True)
        return {"changed": True}

    def _create(self, arguments, client, user):
        script = _SCRIPT.format(
            container=shlex.quote(arguments["container"]),
            address=shlex.quote(arguments["address"]),
            config=f"{CONFIG}/{NODE_CLIENT}",
            user=shlex.quote(user),
            mechanism=client["sasl.mechanism"],
            iterations=_ITERATIONS,
            password=(password := password_of(client)),
        )
        try:
            self.docker(script, f"the user {user} could not be made", True)
        except ActionError as error:  # the command repeats what it does not understand
            raise ActionError(masked(str(error), [password]), error.changed) from None


def _last(arguments, seconds, goes_on):
    """Try the login until it works, or until `goes_on(code of the fault)` is false. Return the last code, or ""."""
    code = ""
    for _ in attempts(seconds, 0.1):
        code = _fault(arguments)
        if not code or not goes_on(code):
            break
    return code


def _fault(arguments):
    """Return the code of the fault of the first broker that does not let the principal in; "" if all do."""
    for link in links(arguments, _SECONDS):
        try:
            link.open()
        except Fault as fault:
            return fault.code
        finally:
            link.close()
    return ""
