"""Change settings of brokers while they run. ansible-doc -t module kafka_configure."""

from kafka.errors import KafkaError

from kafka_proof.action import Action, ActionError
from kafka_proof.advice import explained
from kafka_proof.client.connection import admin_client
from kafka_proof.client.redact import masked
from kafka_proof.cluster import settings


class ActionModule(Action):
    def act(self, arguments):
        # In check mode, a broker whose settings are not known does not run.
        given = arguments["brokers"].items()
        asked = {int(broker): changes for broker, changes in given if changes or not self.check_mode}
        of_all = arguments["all_brokers"]
        if not (asked or of_all):
            return {}
        with admin_client(arguments["client"], 30, 30) as admin:
            shared = next(iter(settings.settings_of_any(admin).values()), {}) if of_all else {}
            before = settings.settings_of(admin, asked)
            now = {broker: settings.dynamic_settings(before[broker]) for broker in asked}
            resets = {broker: settings.dynamic_changes({}, now[broker]) for broker in asked}
            wanted = {broker: found for broker, changes in asked.items() if (found := changes or resets[broker])}
            if of_all and (said := settings.set_shared(admin, of_all, validate_only=self.check_mode)):
                raise ActionError(f"Correct kafka_config or kafka_controller_config. The cluster said: {said}")
            try:
                refused = {} if self.check_mode else settings.set_dynamic(admin, wanted)
            except KafkaError as error:  # some brokers can have taken theirs
                raise ActionError(explained(error), changed=True) from None
            if refused:
                said = "\n".join(f"broker {broker}: {message}" for broker, message in refused.items())
                changed = bool(of_all) or len(refused) < len(wanted)
                raise ActionError(f"Correct kafka_config. Brokers refuse:\n{said}", changed)
        diffs = [_diff(f"broker {broker}", before[broker], changes) for broker, changes in wanted.items()]
        diffs += [_diff("all nodes", shared, of_all)] if of_all else []
        return {"changed": bool(wanted or of_all), "diff": diffs}


def _diff(where, before, changes):
    def text(values):
        return masked("".join(f"{key}={values[key]}\n" for key in sorted(values)))

    return {
        "before": text({key: before.get(key, {}).get("value") for key in changes}),
        "after": text({key: "the file's or Kafka's own" if value is None else value for key, value in changes.items()}),
        "before_header": where,
        "after_header": where,
    }
