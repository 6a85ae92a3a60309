"""Topics as data, over Kafka's own protocol: kafka_proof.operations.topics. ansible-doc -t module kafka_topics.

It speaks to Kafka, whatever the host; a module with a Python of its own would cost 1 s. One connection for all topics.
"""

from ansible.plugins.action import ActionBase

from kafka_proof.operations.topics import have

OPTIONS = {
    "client": {"type": "dict", "required": True},
    "topics": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "partitions": {"type": "int"},
            "replication_factor": {"type": "int"},
            "config": {"type": "dict"},
        },
    },
    "absent": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 60},
}


class ActionModule(ActionBase):
    """See the module's documentation."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=OPTIONS)
        return have(args, self._task.check_mode)
