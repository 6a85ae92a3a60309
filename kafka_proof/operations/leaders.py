"""Preferred leaders: the first replica of each partition."""

from kafka_proof.client.connection import admin_client
from kafka_proof.cluster.health import in_any, look

_PREFERRED = 0  # election of the first replica; 1 would let one lead that is not in sync


def elect_preferred_leaders(client, seconds=30):
    """Give each partition back to its first replica. Returns how many moved. Raises KafkaError."""
    with admin_client(client, seconds) as admin:
        moved = {
            (item.topic, item.number)
            for item in in_any(look(admin), list)
            if item.leader != item.replicas[0] and item.replicas[0] in item.in_sync
        }
        if not moved:
            return 0
        topics = {}
        for topic, number in sorted(moved):
            topics.setdefault(topic, []).append(number)
        # A topic that was deleted meanwhile has no leader to give back.
        admin.elect_leaders(_PREFERRED, topics, timeout_ms=int(seconds * 1000), raise_errors=False)
        return len(moved)
