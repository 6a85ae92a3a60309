"""Run the module kafka_topics, which documents it, inside of Ansible on the controller.

It speaks to Kafka, whatever the host, and a Python of its own would cost 1 s.
"""

import importlib.util
from pathlib import Path

from ansible.plugins.action import ActionBase

from smoke.topics import have

_MODULE = Path(__file__).parents[1] / "modules" / "kafka_topics.py"


class ActionModule(ActionBase):
    """See the module."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        spec = importlib.util.spec_from_file_location("kafka_topics", _MODULE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        _, args = self.validate_argument_spec(argument_spec=module.OPTIONS)
        return have(args, self._task.check_mode)
