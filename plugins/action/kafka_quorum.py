"""Change the voters of a KRaft quorum. ansible-doc -t module kafka_quorum."""

from kafka_proof.action import Action, ActionError
from kafka_proof.client.workarounds import why_not
from kafka_proof.cluster.identity import NotReadyError
from kafka_proof.operations import quorum


class ActionModule(Action):
    def act(self, arguments):
        client, seconds = arguments["client"], arguments["timeout"]
        where = client["bootstrap.servers"]
        try:
            with why_not():
                if (leaving := arguments["remove"]) is not None:
                    changed = quorum.remove_voter(client, leaving, seconds, self._said)
                elif (gone := arguments["unregister"]) is not None:
                    changed = quorum.unregister(client, gone, seconds, self._said)
                else:
                    changed = bool(quorum.reconcile(client, _wanted(arguments["wanted"]), seconds, self._said))
        except (NotReadyError, quorum.QuorumError) as error:
            raise ActionError(f"{where}: {error}. See playbooks/status.yml, and run this again.", True) from None
        return {"changed": changed}

    def _said(self, text):
        self.say(f"  {text}")


def _wanted(voters):
    return {
        int(number): {name: (host, int(port)) for name, (host, port) in listeners.items()}
        for number, listeners in voters.items()
    }
