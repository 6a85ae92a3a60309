"""Change the voters of a KRaft quorum. ansible-doc -t module kafka_quorum."""

from kafka.errors import KafkaError

from kafka_proof.action import Action, ActionError
from kafka_proof.client.connection import NoKafkaError
from kafka_proof.client.workarounds import why_not
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.operations import quorum


class ActionModule(Action):
    def act(self, arguments):
        client, seconds = arguments["client"], arguments["timeout"]
        wanted, where = _wanted(arguments["wanted"]), client["bootstrap.servers"]
        try:
            with why_not():
                if (leaving := arguments["remove"]) is not None:
                    return {"changed": quorum.remove_voter(client, leaving, seconds, self._said)}
                if (gone := arguments["unregister"]) is not None:
                    return {"changed": quorum.unregister(client, gone, seconds, self._said)}
                steps = self._steps(client, wanted) if self.check_mode else None
                made = quorum.reconcile(client, wanted, seconds, self._said) if steps is None else steps
        except (NotReadyError, quorum.QuorumError) as error:
            raise ActionError(f"{where}: {error}. See playbooks/status.yml, and run this again.", True) from None
        return {"changed": bool(made), "diff": {"before": "", "after": "".join(f"{step}\n" for step in made)}}

    def _steps(self, client, wanted):
        """Return the steps that are possible now; [] where no broker answers, as before a first run."""
        try:
            return quorum.plan(client, wanted).steps
        except (KafkaError, NoKafkaError):
            return []

    def _said(self, text):
        self.say(f"  {text}")


def _wanted(voters):
    return {
        int(number): {name: (host, int(port)) for name, (host, port) in listeners.items()}
        for number, listeners in voters.items()
    }
