"""Report the differences between lists and a cluster. ansible-doc -t module kafka_plan."""

from kafka_proof.action import Action, ActionError
from kafka_proof.operations.drift import DriftError, differences

_MEANING = "+ is in the files alone, - is in the cluster alone, ~ differs"


class ActionModule(Action):
    def act(self, arguments):
        where = arguments["client"]["bootstrap.servers"]
        topics = [
            {"partitions": None, "replication_factor": None, "config": None} | each for each in arguments["topics"]
        ]
        try:
            found, warnings = differences(arguments | {"topics": topics}, arguments["kinds"])
        except DriftError as error:
            raise ActionError(f"{where}: {error}") from None
        lines = [line for kind in found.values() for line in kind]
        result = {"warnings": warnings} if warnings else {}
        if not lines:
            return result
        message = [f"{where}: {len(lines)} differences; {_MEANING}:", *lines]
        return result | {"failed": True, "msg": "\n".join(message)}
