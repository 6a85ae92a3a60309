"""Change settings of brokers while they run.

kafka_configure:
  client: {bootstrap.servers: localhost:9092}          # client properties
  brokers: {1: {"log.retention.ms": "1000", "x": null}}   # as kafka_plan returns them; null resets
"""

from ansible.plugins.action import ActionBase
from kafka.errors import KafkaError

from kafka_proof.client.connection import admin_client
from kafka_proof.client.properties import ClientPropertiesError
from kafka_proof.client.redact import masked
from kafka_proof.cluster.settings import set_dynamic, settings_of


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_diff = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Return the task's result."""
        super().run(tmp, task_vars)
        required = {"type": "dict", "required": True}
        _, args = self.validate_argument_spec(argument_spec={"client": required, "brokers": required})
        wanted = {int(broker): changes for broker, changes in args["brokers"].items()}
        try:
            with admin_client(args["client"], 30) as admin:
                before = settings_of(admin, wanted)
                if not self._task.check_mode and (refused := set_dynamic(admin, wanted)):
                    said = [f"broker {broker}: {message}" for broker, message in refused.items()]
                    return {"failed": True, "msg": "\n".join(["Correct kafka_config. Brokers refuse:", *said])}
        except (KafkaError, ClientPropertiesError) as error:
            return {"failed": True, "msg": f"{args['client'].get('bootstrap.servers')}: {error}"}
        return {"changed": True, "diff": [_diff(broker, before[broker], changes) for broker, changes in wanted.items()]}


def _diff(broker, before, changes):
    def text(values):
        return masked("".join(f"{key}={values[key]}\n" for key in sorted(values)))

    return {
        "before": text({key: before.get(key, {}).get("value") for key in changes}),
        "after": text({key: "the file's or Kafka's own" if value is None else value for key, value in changes.items()}),
        "before_header": f"broker {broker}",
        "after_header": f"broker {broker}",
    }
