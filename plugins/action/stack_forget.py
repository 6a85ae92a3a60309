"""Remove the secrets that the stack created. ansible-doc -t module stack_forget."""

import contextlib
import shutil
from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.deploy.certificates import generated


class ActionModule(Action):
    def act(self, arguments):
        secrets, clients = Path(arguments["secrets"]), Path(arguments["clients"])
        found, gone = [*generated(secrets), *sorted(clients.glob("*.properties"))], False
        try:
            for path in found if not self.check_mode else []:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                gone = True
        except OSError as error:
            advice = "Remove it, then run this again."
            raise ActionError(f"{error.filename}: {error.strerror}. {advice}", gone) from None
        for directory in [clients, secrets / "clients", secrets] if gone else []:
            with contextlib.suppress(OSError):  # it has other files
                directory.rmdir()
        return {"changed": bool(found), "diff": {"before": "".join(f"{path}\n" for path in found), "after": ""}}
