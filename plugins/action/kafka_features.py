"""Check or finalise the features of a Kafka version, in KRaft mode. ansible-doc -t module kafka_features."""

from kafka_proof.action import Action, ActionError
from kafka_proof.client.connection import admin_client
from kafka_proof.cluster.features import FORGETS_CONTROLLERS, METADATA, FeaturesError, consequence, features, readable
from kafka_proof.cluster.versions import line_of
from kafka_proof.operations.features import finalise

_SECONDS = 30  # for the cluster to answer


class ActionModule(Action):
    def act(self, arguments):
        client, version = arguments["client"], arguments["version"]
        if arguments["state"] in ("readable", "forgets-controllers"):
            with admin_client(client, _SECONDS, _SECONDS) as admin:
                level = features(admin)[METADATA][0]
            if arguments["state"] == "forgets-controllers" and level < FORGETS_CONTROLLERS:
                raise ActionError(
                    f"The cluster has metadata.version {level}, and forgets a controller that left from "
                    f"{FORGETS_CONTROLLERS} ({line_of(FORGETS_CONTROLLERS)}) on. Before, Kafka would refuse to "
                    "finalise a later one (KAFKA-20295). Upgrade first: playbooks/upgrade.yml, then with "
                    "-e upgrade_finalise=true. Nothing was changed."
                )
            if not readable(level, version):
                raise ActionError(
                    f"stack_kafka_version is {version}, and the cluster finalised metadata.version {level}, which only "
                    f"Kafka {line_of(level)} and newer read. The way back ended there. Set stack_kafka_version to one "
                    "of these. Nothing was changed."
                )
            return {}
        done = arguments["state"] == "finalised"
        try:
            changes = finalise(client, version, dry_run=not done)
        except FeaturesError as error:
            if done:
                raise ActionError(f"{client['bootstrap.servers']}: {error}. Nothing was finalised.") from None
            return {"pending": False, "msg": f"No feature can be finalised: {error}."}
        return {"changed": done and bool(changes), "pending": bool(changes) and not done, "msg": _report(changes, done)}


def _report(changes, done):
    if not changes:
        return "All features of this version are finalised."
    listed = ", ".join(f"{name} {now} → {then}" for name, (now, then) in sorted(changes.items()))
    said = consequence(*changes[METADATA]) if METADATA in changes else ""
    return f"{'Finalised' if done else 'Not finalised yet'}: {listed}.{' ' if said else ''}{said}"
