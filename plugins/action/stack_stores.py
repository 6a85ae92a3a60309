"""Write what nodes and clients trust, and the files of clients. ansible-doc -t module stack_stores."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.client.secret_files import write
from kafka_proof.deploy.certificates import trusted, wanted
from kafka_proof.deploy.clients import client_files
from kafka_proof.deploy.rotation import FINISH
from kafka_proof.deploy.security import security_of


class ActionModule(Action):
    def act(self, arguments):
        security = security_of({"kafka_security": arguments["security"]})
        access, users, servers = (arguments[key] for key in ("access", "users", "addresses"))
        try:
            own = wanted(arguments["nodes"], security, access["secrets"])
            files = trusted(own, next_alone=arguments["step"] == FINISH)
            files |= client_files(access, users, servers, Path(arguments["directory"]))
            changed = [path for path, text in files.items() if not path.exists() or path.read_bytes() != text.encode()]
            for path in changed if not self.check_mode else []:
                write(path, files[path])
        except OSError as error:
            advice = "Set stack_secrets and stack_client_properties to places that can be written."
            raise ActionError(f"{error.filename}: {error.strerror}. {advice}") from None
        after = "".join(f"{path}\n" for path in changed)
        return {"changed": bool(changed), "diff": {"before": "", "after": after}}
