"""Write client.properties on the controller. ansible-doc -t module client_properties."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.client.redact import masked
from kafka_proof.client.secret_files import write


class ActionModule(Action):
    def act(self, arguments):
        path, content = Path(arguments["path"]), arguments["content"]
        try:
            before = _text(path) if path.exists() else ""
            changed = before != content or (path.exists() and not content)
            if changed and not self.check_mode:
                if content:
                    write(path.resolve(), content)  # a link stays one
                else:
                    path.unlink()
        except OSError as error:
            advice = "Set stack_client_properties to a file that can be written."
            raise ActionError(f"{path}: {error.strerror}. {advice}") from None
        diff = {
            "before": masked(before),
            "after": masked(content),
            "before_header": str(path),
            "after_header": str(path),
        }
        return {"changed": changed, "diff": diff}


def _text(path):
    """Return the text with its carriage returns, which are part of it."""
    return path.read_bytes().decode("utf-8", errors="replace")
