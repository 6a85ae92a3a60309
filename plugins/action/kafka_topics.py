"""Topics as data, over Kafka's own protocol. ansible-doc -t module kafka_topics."""

import json

from kafka_proof.action import Action
from kafka_proof.operations.topics import have


class ActionModule(Action):
    def act(self, arguments):
        result = have(arguments, self.check_mode, self.say)
        if replication := result.pop("replication", None):
            variables = json.dumps({"rebalance_replication": replication})
            result["msg"] += (
                f"\nTo move replicas, set kafka_topics_reassign, or run playbooks/rebalance.yml with -e '{variables}'"
            )
        return result
