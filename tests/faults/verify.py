"""Do something to a cluster under a workload, and tell what became of the messages."""

import dataclasses
import datetime
import logging

from kafka_proof.client.wait import wait_until
from kafka_proof.cluster.temporary import new_prefix
from kafka_proof.workload.run import Workload, topic_of_its_own

MINUTES = 30  # the longest that one takes, on a machine with other work
AGAIN = 500  # messages to be acknowledged when all is over: two seconds and a half


def verified(cluster, do, load, topic=None):
    """Do it under a workload. Returns its result. `topic`: as in `topic_of_its_own`."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    load = dataclasses.replace(load, seconds=60 * MINUTES)
    prefix = new_prefix("fault", datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=MINUTES))
    with topic_of_its_own(cluster.arguments, prefix, topic) as name:
        cluster.topic = name
        with Workload(cluster.arguments, name, f"{prefix}group", load) as workload:
            cluster.workload = workload
            do(cluster)
            enough = workload.acknowledged() + AGAIN
            wait_until(f"{enough} acknowledgements", workload.acknowledged, lambda seen: seen >= enough, 60, 0.1)
    return workload.result
