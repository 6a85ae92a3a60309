#!/usr/bin/python
"""Documentation of the action kafka_wait, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_wait
short_description: Wait before or after a node is restarted
description:
  - "C(can_stop): no partition is offline, under-replicated or short of in-sync replicas, beyond what this broker explains."
  - "C(can_stop) of a controller: a majority of the voters is caught up without it."
  - "C(back): the broker is registered, answers at its advertised address, and is in sync wherever it has a replica; the controller follows the quorum again."
options:
  until:
    description: The condition.
    type: str
    required: true
    choices: ["can_stop", "back"]
  host:
    description: Its name in the inventory, for messages.
    type: str
    required: true
  node:
    description: Id of the node.
    type: int
    required: true
  kinds:
    description: The parts of the node. A controller also waits for the quorum, and a broker for its partitions.
    type: list
    elements: str
    required: true
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  timeout:
    description: Seconds.
    type: int
    required: true
  start_timeout:
    description: Seconds until the broker answers, for C(back).
    type: int
    default: 90
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Wait before or after a node is restarted
  kafka_wait:
      until: can_stop
      host: kafka-1
      node: 1
      kinds: [broker]
      client: {bootstrap.servers: "localhost:9092"}
      timeout: 600
"""

RETURN = r"""
seconds:
  description: How long it took.
  returned: success
  type: float
"""
