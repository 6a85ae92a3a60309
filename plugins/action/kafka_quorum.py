"""Change the voters of a KRaft quorum. ansible-doc -t module kafka_quorum."""

import contextlib

from kafka.errors import KafkaError

from kafka_proof.action import Action, ActionError
from kafka_proof.advice import NOT_LOST
from kafka_proof.client.connection import NoKafkaError
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.client.workarounds import why_not
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.operations import quorum

_AGAIN = "See playbooks/status.yml, and run this again."


class ActionModule(Action):
    def act(self, arguments):
        client, seconds = arguments["client"], arguments["timeout"]
        wanted, where = _wanted(arguments["wanted"]), client["bootstrap.servers"]
        try:
            with why_not():
                for name, change in quorum.OF_ONE.items():
                    if (node := arguments[name]) is not None:
                        return {"changed": change(client, node, seconds, self._said)}
                if (lost := arguments["give_up"]) is not None:
                    made = quorum.give_up_voter(client, lost, wanted, seconds, self._said, self.check_mode)
                else:
                    made = self._reconcile(client, wanted, seconds)
        except (NotReadyError, quorum.QuorumError) as error:
            advice = NOT_LOST if isinstance(error, quorum.NotLostError) else _AGAIN
            raise ActionError(f"{where}: {error}. {advice}", advice is _AGAIN) from None
        return {"changed": bool(made), "diff": {"before": "", "after": "".join(f"{step}\n" for step in made)}}

    def _reconcile(self, client, wanted, seconds):
        if not self.check_mode:
            return quorum.reconcile(client, wanted, seconds, self._said)
        with contextlib.suppress(ClientPropertiesError, KafkaError, NoKafkaError):  # as before a first run
            return quorum.plan(client, wanted).steps
        return []

    def _said(self, text):
        self.say(f"  {text}")


def _wanted(voters):
    items = ((int(number), listeners.items()) for number, listeners in voters.items())
    return {number: {name: (host, int(port)) for name, (host, port) in listeners} for number, listeners in items}
