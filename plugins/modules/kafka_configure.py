#!/usr/bin/python
"""Documentation of the action kafka_configure, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_configure
short_description: Change settings of nodes while they run
description:
  - Sets dynamic settings, as C(kafka-configs.sh --entity-type brokers) does.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  brokers:
    description: Settings by broker id. A null value resets a setting; no settings at all reset all.
    type: dict
    default: {}
  all_brokers:
    description: New values of settings that are set for all brokers and controllers. A null value resets a setting.
    type: dict
    default: {}
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Change settings of brokers while they run
  kafka_configure:
      client: {bootstrap.servers: "localhost:9092"}
      brokers: {1: {log.retention.ms: "1000"}}
"""
