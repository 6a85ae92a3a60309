"""Wait until a Kafka cluster is ready. ansible-doc -t module kafka_ready."""

import contextlib
import time

from kafka.errors import KafkaError

from kafka_proof.action import Action
from kafka_proof.client.connection import admin_client
from kafka_proof.cluster.ready import wait_ready
from kafka_proof.cluster.settings import misspelt, settings_of


class ActionModule(Action):
    def act(self, arguments):
        client, brokers = arguments["client"], arguments["brokers"]
        started = time.monotonic()
        cluster = wait_ready(client, brokers, arguments["timeout"])
        seconds = round(time.monotonic() - started, 1)
        return {"seconds": seconds, "warnings": _misspelt(client, brokers[0], arguments["config"]), **cluster}


def _misspelt(client, broker, names):
    if names:
        with contextlib.suppress(KafkaError), admin_client(client, 5) as admin:
            return misspelt(names, settings_of(admin, [broker])[broker])
    return []
