"""Write the inventory of containers of other images. ansible-doc -t module adopt_inventory."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.client.ansible_yaml import Template, to_yaml
from kafka_proof.client.text import write_whole
from kafka_proof.deploy.adoption import adopt, summary
from kafka_proof.deploy.engines import connection, is_local
from kafka_proof.deploy.foreign import as_found

_HEADER = "---\n# Written by playbooks/adopt.yml. Text of the containers is data, and no template.\n"
_HERE = {"ansible_connection": "local", "ansible_python_interpreter": Template("{{ ansible_playbook_python }}")}


class ActionModule(Action):
    SECRET = True  # the containers hold passwords

    def act(self, arguments):
        hostvars, path = self.task_vars["hostvars"], Path(arguments["path"])
        versions = [file.stem for file in Path(arguments["roles"], "kafka_image", "files").glob("*.sha256")]
        # Hosts can share an engine.
        containers = {each["inspected"]["Id"]: each for each in reversed(arguments["containers"])}.values()
        found = sorted(map(as_found, containers), key=lambda each: (each.host, each.name))
        reach = {
            each.host: _HERE if is_local(each.host, hostvars) else connection(each.host, hostvars) for each in found
        }
        adopted = adopt(found, arguments["stack"], versions, reach, arguments["names"])
        if adopted.problems:
            raise ActionError("\n".join(["These containers cannot be taken over:", *adopted.problems]))
        after = _HEADER + to_yaml(adopted.inventory)
        try:
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            if before not in ("", after) and not self.check_mode:
                raise ActionError(
                    f"{path} exists, and differs from what these containers give: --check --diff shows how. Remove it, "
                    "or set adopt_inventory to another file."
                )
            if before != after and not self.check_mode:
                write_whole(path, after)
        except OSError as error:
            raise ActionError(f"{path}: {error.strerror}. Set adopt_inventory to a file that can be written.") from None
        diff = {"before": before, "after": after, "after_header": str(path)}
        return {"changed": before != after, "diff": diff, "lines": summary(found, adopted)}
