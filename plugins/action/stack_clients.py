"""Write the properties of each user. ansible-doc -t module stack_clients."""

from pathlib import Path

from kafka_proof.action import Action, ActionError
from kafka_proof.client.secret_files import path_of, write
from kafka_proof.deploy.clients import key_store, login_properties, to_text
from kafka_proof.deploy.security import TLS


class ActionModule(Action):
    def act(self, arguments):
        access, servers = arguments["access"], {"bootstrap.servers": ",".join(arguments["addresses"])}
        wanted = {}
        for user in [{"name": access["principal"]}, *arguments["users"]]:
            name, mechanism = user["name"], user.get("mechanism") or ""
            if access["clients"] == TLS:
                wanted[key_store(access["secrets"], name)] = self._key_store(
                    path_of(Path(access["secrets"], "clients"), name)
                )
            if user in arguments["users"]:
                properties = servers | login_properties(access, name, mechanism)
                wanted[path_of(Path(arguments["directory"]), f"{name}.properties")] = to_text(properties)
        try:
            changed = [path for path, text in wanted.items() if not path.exists() or path.read_bytes() != text.encode()]
            for path in changed if not self.check_mode else []:
                write(path, wanted[path])
        except OSError as error:
            raise ActionError(f"{error.filename}: {error.strerror}. Set stack_client_properties elsewhere.") from None
        after = "".join(f"{path}\n" for path in changed)
        return {"changed": bool(changed), "diff": {"before": "", "after": after}}

    def _key_store(self, path):
        """Return the text of a client's key and certificate; what does not exist yet in check mode is empty."""
        parts = [Path(f"{path}{ending}") for ending in (".key", ".pem")]
        return "".join(part.read_text(encoding="utf-8") for part in parts if part.exists() or not self.check_mode)
