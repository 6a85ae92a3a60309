"""Write the variables that describe a cluster. ansible-doc -t module kafka_export."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.client.text import write_whole
from kafka_proof.operations.drift import DriftError, export

_HEADER = "---\n# Written by playbooks/export.yml, without passwords: existing users keep theirs.\n"


class ActionModule(Action):
    def act(self, arguments):
        path = Path(arguments["path"]).expanduser()
        try:
            after = _HEADER + export(arguments, arguments["kinds"])
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            if before != after and not self.check_mode:
                write_whole(path, after)
        except DriftError as error:
            raise ActionError(f"{arguments['client']['bootstrap.servers']}: {error}") from None
        except OSError as error:
            raise ActionError(f"{path}: {error.strerror}. Set export_path to a file that can be written.") from None
        return {"changed": before != after, "diff": {"before": before, "after": after, "after_header": str(path)}}
