"""Make passwords, and say which certificates are missing. ansible-doc -t module stack_certificates."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.client.secret_files import make_directory, path_of, read_or_make, write
from kafka_proof.deploy.certificates import missing, wanted
from kafka_proof.deploy.security import LOGIN, security_of


class ActionModule(Action):
    def act(self, arguments):
        security, users = security_of({"kafka_security": arguments["security"]}), arguments["users"]
        if not security.on:
            return {"certificates": []}
        names = [user["name"] for user in users]
        absent = missing(wanted(arguments["nodes"], security, arguments["secrets"], names))
        made = []
        try:
            principal = {"name": security.principal, "password": arguments["security"].get("password")}
            for user in [principal, *users] if security.clients == LOGIN else []:
                made += self._password(arguments["secrets"], user["name"], user.get("password"))
            if not self.check_mode:
                for item in absent:
                    make_directory(Path(item["path"]).parent)
        except OSError as error:
            advice = "Set stack_secrets to a directory that can be written."
            raise ActionError(f"{error.filename}: {error.strerror}. {advice}", bool(made)) from None
        after = [*made, *(f"certificate {item['path']}.pem" for item in absent)]
        diff = {"before": "", "after": "".join(f"{line}\n" for line in after)}
        return {"changed": bool(made or (absent and self.check_mode)), "certificates": absent, "diff": diff}

    def _password(self, secrets, name, given):
        """Keep a user's password: the given one, or a new one. Return the lines of the change."""
        path = path_of(Path(secrets, "users"), name)
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before is not None and given in (None, before):
            return []
        if not self.check_mode:
            write(path, given) if given else read_or_make(path.parent, name)
        return [f"password {path}"]
