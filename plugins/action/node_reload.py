"""Load new certificates into a running node. ansible-doc -t module node_reload."""

import base64
import shlex

from kafka_proof.action import Action, ActionError
from kafka_proof.client.connection import admin_client
from kafka_proof.client.text import one_line
from kafka_proof.client.wait import attempts
from kafka_proof.cluster.settings import set_dynamic
from kafka_proof.deploy import reload
from kafka_proof.deploy.files import from_archive, read_secrets
from kafka_proof.deploy.node import BROKER, CONFIG, CONTROLLER

_SECONDS = 20


class ActionModule(Action):
    def act(self, arguments):
        changed = []
        try:
            for node in arguments["nodes"]:
                changed += self._reload(node, arguments["secrets"], arguments["client"])
        except ActionError as error:
            error.changed = error.changed or bool(changed)
            raise
        return {"changed": bool(changed), "diff": {"before": "", "after": "".join(f"{line}\n" for line in changed)}}

    def _reload(self, node, directory, client):
        """Load the files of a node that differ. Return {container}: {file} of each."""
        name = node["container"]
        secrets = read_secrets(node["secrets"], directory, missing_ok=self.check_mode)
        source = f"docker cp {shlex.quote(f'{name}:{CONFIG}')} - | base64 -w 0"
        now = from_archive(base64.b64decode(self.docker(source, f"the files of {name} are unreadable")))
        files = reload.changed_files(secrets, now)
        if files and not self.check_mode:
            since = self.docker("date -u +%Y-%m-%dT%H:%M:%S.%NZ", "the clock is unreadable").strip()
            self.docker(reload.copy_script(node, files), f"the files of {name} could not be written", True)
            self._load(node, reload.settings(node, files), client)
            self._check_log(name, since)
            self.docker(reload.copy_script(node, {}), f"the files of {name} could not be marked", True)
        return [f"{name}: {file}" for file in files]

    def _load(self, node, settings, client):
        if BROKER in node["kinds"]:
            with admin_client(client, _SECONDS, _SECONDS) as admin:
                refused = set_dynamic(admin, {node["id"]: settings}).get(node["id"])
            if refused:
                raise ActionError(f"{self.host}: broker {node['id']} loads no certificate: {one_line(refused)}", True)
        elif CONTROLLER in node["kinds"]:
            self.docker(reload.controller_script(node, settings), f"{node['container']} loads no certificate", True)

    def _check_log(self, name, since):
        """Wait until the log shows that the node loaded the files. Raises ActionError."""
        found = None
        for _ in attempts(_SECONDS, 0.2):
            log = self.docker(f"docker logs --since {since} {name} 2>&1", f"the log of {name} is unreadable", True)
            found = reload.verdict(log)
            if found == "":
                return
            if found:
                break
        raise ActionError(
            f"{self.host}: {name} did not load its certificates: {one_line(found or 'its log does not mention it')}. "
            "Run this playbook again. If it fails again, run playbooks/restart.yml: a node that starts reads its "
            "files.",
            True,
        )
