"""Change settings of brokers while they run. ansible-doc -t module kafka_configure."""

from kafka_proof.action import Action, ActionError
from kafka_proof.client.connection import admin_client
from kafka_proof.client.redact import masked
from kafka_proof.cluster.settings import dynamic_changes, dynamic_settings, set_dynamic, set_shared, settings_of


class ActionModule(Action):
    def act(self, arguments):
        # In check mode, a broker whose settings are not known does not run.
        asked = {int(broker): changes for broker, changes in arguments["brokers"].items()}
        asked = {broker: changes for broker, changes in asked.items() if changes or not self.check_mode}
        of_all = arguments["all_brokers"]
        if not (asked or of_all):
            return {}
        with admin_client(arguments["client"], 30) as admin:
            if of_all and not self.check_mode and (said := set_shared(admin, of_all)):
                raise ActionError(
                    f"Correct kafka_config. The cluster refuses {', '.join(of_all)} for all brokers: {said}"
                )
            before = settings_of(admin, asked)
            resets = {broker: dynamic_changes({}, dynamic_settings(before[broker])) for broker in asked}
            wanted = {broker: changes or resets[broker] for broker, changes in asked.items()}
            wanted = {broker: changes for broker, changes in wanted.items() if changes}
            if not self.check_mode and (refused := set_dynamic(admin, wanted)):
                said = [f"broker {broker}: {message}" for broker, message in refused.items()]
                message = "\n".join(["Correct kafka_config. Brokers refuse:", *said])
                raise ActionError(message, changed=len(refused) < len(wanted))
        return {
            "changed": bool(wanted or of_all),
            "diff": [_diff(f"broker {broker}", before[broker], changes) for broker, changes in wanted.items()]
            + ([_diff("all brokers", {}, of_all)] if of_all else []),
        }


def _diff(where, before, changes):
    def text(values):
        return masked("".join(f"{key}={values[key]}\n" for key in sorted(values)))

    return {
        "before": text({key: before.get(key, {}).get("value") for key in changes}),
        "after": text({key: "the file's or Kafka's own" if value is None else value for key, value in changes.items()}),
        "before_header": where,
        "after_header": where,
    }
