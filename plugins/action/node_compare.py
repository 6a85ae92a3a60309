"""Compare a node with its container. ansible-doc -t module node_compare."""

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy.containers import files_differ, node_change
from kafka_proof.deploy.files import read_secrets
from kafka_proof.deploy.reload import MARK


class ActionModule(Action):
    SECRET = True  # settings hold passwords

    def act(self, arguments):
        node, engine = arguments["node"], arguments["engine"]
        # A silent engine can have a quorum. A controller on another host must not begin one beside it.
        if not engine.get("can_talk_to_docker", True) and not self.check_mode:
            raise ActionError(
                f"{self.host}: no engine answers ({engine.get('msg')}), and no container was changed. Start it, or "
                "correct DOCKER_HOST; site.yml without --tags starts it, too."
            )
        try:
            secrets = read_secrets(node["secrets"], arguments["secrets"], missing_ok=self.check_mode)
        except OSError as error:
            raise ActionError(
                f"{self.host}: {error.filename}: {error.strerror}. site.yml without --tags makes certificates; those "
                "of kafka_security.certificates have to exist on this machine."
            ) from None
        node = {**node, "files": node["files"] | secrets}
        before = None
        if files_differ(node, engine):
            before = self.files_of(node["container"])
            if not before.get(MARK):  # otherwise the node has files that it did not load, and starts with them
                before.pop(MARK, None)
        return node_change(node, engine, arguments["restart_since"], before)
