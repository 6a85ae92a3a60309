"""Read or remove the records of a migration in ZooKeeper. ansible-doc -t module zookeeper_records."""

from kafka_proof.action import Action, ActionError
from kafka_proof.client.text import one_line
from kafka_proof.client.wait import attempts
from kafka_proof.deploy.zookeeper_records import records, records_script


class ActionModule(Action):
    def act(self, arguments):
        server, remove = arguments["server"], arguments["state"] == "absent"
        if arguments["state"] == "copied":
            return self._wait(server, arguments["broker"], arguments["timeout"])
        before = self._ask(server, arguments["broker"], False)
        there = before["migration"] or before["kraft"]
        if not remove or self.check_mode or not there:
            return before | {"changed": remove and there}
        after = self._ask(server, arguments["broker"], True)
        if after["migration"] or after["kraft"]:
            raise ActionError(
                f"{self.host}: ZooKeeper still has the record of a migration, so a controller of KRaft still runs. "
                "Stop it, and run this again.",
                True,
            )
        return after | {"changed": True}

    def _wait(self, server, broker, seconds):
        for _ in attempts(seconds, 1):
            try:
                if (found := self._ask(server, broker, False))["copied"]:
                    break
            except ActionError as error:
                found = error
        if isinstance(found, ActionError):
            raise found
        return found

    def _ask(self, server, broker, remove):
        output = self.docker(records_script(server, broker, remove), "ZooKeeper could not be asked", remove)
        found = records(output)
        if found["brokers"] is None:
            said = [line for line in output.splitlines() if line.strip()][-3:]
            raise ActionError(f"{self.host}: {server['container']} did not answer. It said: {one_line(' '.join(said))}")
        return found
