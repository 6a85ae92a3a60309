#!/usr/bin/python
"""Documentation of the action kafka_rebalance, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_rebalance
short_description: Move replicas between brokers until the load is even
description:
  - Reports its progress. After an interruption it cancels pending moves, removes its throttle, and continues when it is run again.
  - When it succeeds, drained brokers hold nothing. Their disks are asked.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  brokers:
    description: Ids of the brokers in the inventory.
    type: list
    elements: "int"
    required: true
  drain:
    description: Ids of brokers that must hold nothing.
    type: list
    elements: "int"
    default: []
  replication:
    description: Replicas by topic, for topics that get another number.
    type: dict
    default: {}
  throttle:
    description: Bytes/s that a broker may send, and receive. 0 means no limit.
    type: int
    required: true
  timeout:
    description: Seconds without progress after which to give up.
    type: int
    required: true
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Move replicas between brokers until the load is even
  kafka_rebalance:
      client: {bootstrap.servers: "localhost:9092"}
      brokers: [1, 2, 3]
      drain: [3]
      throttle: 50000000
      timeout: 600
"""

RETURN = r"""
partitions:
  description: How many partitions changed.
  returned: success
  type: int
"""
