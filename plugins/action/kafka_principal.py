"""Let the deployment's principal log in. ansible-doc -t module kafka_principal."""

from kafka_proof.action import Action, ActionError
from kafka_proof.client.connection import login_fault
from kafka_proof.client.properties import kafka_python
from kafka_proof.client.redact import masked
from kafka_proof.client.wait import attempts
from kafka_proof.deploy.clients import password_of, user_script
from kafka_proof.deploy.security import SCRAM

_SECONDS = 2  # for each step of a login
_SPREAD = 30  # seconds until every broker knows a new password


class ActionModule(Action):
    def act(self, arguments):
        client = arguments["client"]
        if client.get("sasl.mechanism") not in SCRAM or self.check_mode:
            return {}
        login = kafka_python(client)
        seconds = arguments["timeout"]
        code = _last(login, seconds, lambda code: code != "login-refused")
        if code != "login-refused":
            # The wait for the brokers reports the fault. By then, brokers may run, and refuse the login.
            late = (
                f"No broker answered a login within {seconds} s (kafka_start_timeout), so no password was set. Run "
                "this again; on a slow machine, with a longer kafka_start_timeout."
            )
            return {"late": late} if code else {}
        self._create(arguments, login["sasl_plain_username"], client["sasl.mechanism"], password_of(client))
        if _last(login, _SPREAD, lambda code: code == "login-refused") == "login-refused":
            raise ActionError(f"{client['bootstrap.servers']}: refuses the login of the user that was created.", True)
        return {"changed": True}

    def _create(self, arguments, user, mechanism, password):
        script = user_script(arguments["container"], arguments["address"], user, mechanism, password)
        try:
            self.docker(script, f"the user {user} could not be created", True)
        except ActionError as error:  # the command repeats what it does not understand
            raise ActionError(masked(str(error), [password]), error.changed) from None


def _last(login, seconds, goes_on):
    """Try the login until it works, or until `goes_on(code of the fault)` is false. Return the last code, or ""."""
    code = ""
    for _ in attempts(seconds, 0.1):
        code = login_fault(login, _SECONDS)
        if not code or not goes_on(code):
            break
    return code
