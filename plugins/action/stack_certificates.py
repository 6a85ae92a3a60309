"""Make passwords, and say which certificates are missing. ansible-doc -t module stack_certificates."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.client.secret_files import keep, make_directory, user_file
from kafka_proof.deploy.certificates import missing, wanted
from kafka_proof.deploy.rotation import SUCCEED, outdated, succeed, wanted_in
from kafka_proof.deploy.security import LOGIN, security_of


class ActionModule(Action):
    def act(self, arguments):
        users = arguments["users"]
        security = security_of({"kafka_security": arguments["security"], "kafka_users": users})
        if not security.on:
            return {"certificates": []}
        names, done = [user["name"] for user in users], []
        try:
            own = wanted(arguments["nodes"], security, arguments["secrets"], names)
            if step := arguments["step"]:
                done += self._rotate(step, own)
                own = wanted_in(step, own)
            principal = {"name": security.principal, "password": arguments["security"].get("password")}
            # A user of an existing cluster has a password that is not known here: kafka_users makes those of new users.
            known = [each for each in users if each.get("password") or each["name"] in security.plain_users]
            for user in [principal, *known] if security.clients == LOGIN else []:
                path = user_file(arguments["secrets"], user["name"])
                done += [f"password {path}"] if keep(path, user.get("password"), self.check_mode) else []
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
        old = outdated(step, wanted_in(step, own))
        for path in old if not self.check_mode else []:
            path.unlink()
        return [*old, *(succeed(own) if step == SUCCEED and not self.check_mode else [])]
