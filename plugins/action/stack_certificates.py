"""Make passwords, and say which certificates are missing. ansible-doc -t module stack_certificates."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.client.secret_files import make_directory, path_of, read_or_make, write
from kafka_proof.deploy.certificates import missing, wanted
from kafka_proof.deploy.rotation import FINISH, outdated, succeed, wanted_in
from kafka_proof.deploy.security import LOGIN, security_of


class ActionModule(Action):
    def act(self, arguments):
        security, users = security_of({"kafka_security": arguments["security"]}), arguments["users"]
        if not security.on:
            return {"certificates": []}
        names, done = [user["name"] for user in users], []
        try:
            own = wanted(arguments["nodes"], security, arguments["secrets"], names)
            if step := arguments["step"]:
                done += self._rotate(step, own)
                own = wanted_in(step, own)
            principal = {"name": security.principal, "password": arguments["security"].get("password")}
            for user in [principal, *users] if security.clients == LOGIN else []:
                done += self._password(arguments["secrets"], user["name"], user.get("password"))
            absent = missing(own)
            for item in absent if not self.check_mode else []:
                make_directory(Path(item["path"]).parent)
        except OSError as error:
            advice = "Set stack_secrets to a directory that can be written."
            raise ActionError(f"{error.filename}: {error.strerror}. {advice}", bool(done)) from None
        after = "".join(f"{line}\n" for line in [*done, *(f"certificate {item['path']}.pem" for item in absent)])
        changed = bool(done or (absent and self.check_mode))
        return {"changed": changed, "certificates": absent, "diff": {"before": "", "after": after}}

    def _rotate(self, step, own):
        old = [] if self.check_mode else outdated(step, wanted_in(step, own))
        for path in old:
            path.unlink()
        return [*old, *(succeed(own) if step == FINISH and not self.check_mode else [])]

    def _password(self, secrets, name, given):
        """Keep a user's password: the given one, or a new one. Return the lines of the change."""
        path = path_of(Path(secrets, "users"), name)
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before is not None and given in (None, before):
            return []
        if not self.check_mode:
            write(path, given) if given else read_or_make(path.parent, name)
        return [f"password {path}"]
