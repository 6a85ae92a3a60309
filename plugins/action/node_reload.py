"""Load new certificates into a running node. ansible-doc -t module node_reload."""

from kafka_proof.action import Action, ActionError
from kafka_proof.client.connection import admin_client
from kafka_proof.client.text import one_line
from kafka_proof.client.wait import attempts
from kafka_proof.cluster.settings import set_dynamic
from kafka_proof.deploy import reload
from kafka_proof.deploy.files import read_secrets
from kafka_proof.deploy.node import BROKER

_SECONDS = 60


class ActionModule(Action):
    def act(self, arguments):
        node = arguments["node"]
        name = node["container"]
        secrets = read_secrets(node["secrets"], arguments["secrets"], missing_ok=self.check_mode)
        if (files := reload.changed_files(secrets, self.files_of(name))) and not self.check_mode:
            since = self.docker("date -u +%Y-%m-%dT%H:%M:%S.%NZ", "the clock is unreadable").strip()
            self.docker(reload.copy_script(node, files), f"the files of {name} could not be written", True)
            self._load(node, settings := reload.settings(node, files), arguments["client"])
            self._check_log(name, since, reload.loads(node, settings))
            self.docker(reload.copy_script(node, {}), f"the files of {name} could not be marked", True)
        return {"changed": bool(files), "diff": {"before": "", "after": "".join(f"{name}: {file}\n" for file in files)}}

    def _load(self, node, settings, client):
        if BROKER in node["kinds"]:
            with admin_client(client, _SECONDS, _SECONDS) as admin:
                refused = set_dynamic(admin, {node["id"]: settings}).get(node["id"])
            if refused:
                raise ActionError(f"{self.host}: {node['container']} loads no certificate: {one_line(refused)}", True)
        else:
            self.docker(reload.controller_script(node, settings), f"{node['container']} loads no certificate", True)

    def _check_log(self, name, since, loads):
        """Wait until the log shows that the node loaded the files so often. Raises ActionError."""
        for _ in attempts(_SECONDS, 0.2):
            log = self.docker(f"docker logs --since {since} {name} 2>&1", f"the log of {name} is unreadable", True)
            if (found := reload.verdict(log, loads)) is not None:
                break
        if found == "":
            return
        raise ActionError(
            f"{self.host}: {name} did not load its certificates: {one_line(found or 'its log does not mention it')}. "
            "Run this playbook again. If it fails again, run playbooks/restart.yml: a node that starts reads its "
            "files.",
            True,
        )
