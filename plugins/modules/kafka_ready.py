#!/usr/bin/python
"""Documentation of the action kafka_ready, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_ready
short_description: Wait until a Kafka cluster is ready
description:
  - Ready means that the expected brokers are registered, each answers as itself at its advertised address, and the controller and a group coordinator act.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  brokers:
    description: Ids of the expected brokers.
    type: list
    elements: "int"
    required: true
  timeout:
    description: Seconds.
    type: int
    required: true
  config:
    description: Names of settings, to warn of those that Kafka would ignore.
    type: list
    elements: "str"
    default: []
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Wait until a Kafka cluster is ready
  kafka_ready:
      client: {bootstrap.servers: "localhost:9092"}
      brokers: [1]
      timeout: 90
"""

RETURN = r"""
cluster_id:
  description: Id of the cluster.
  returned: success
  type: str
controller_id:
  description: Id of the active controller.
  returned: success
  type: int
brokers:
  description: Id, host and port of each broker.
  returned: success
  type: list
version:
  description: Version that the protocol tells, such as 3.9.
  returned: success
  type: str
seconds:
  description: How long it took.
  returned: success
  type: float
"""
