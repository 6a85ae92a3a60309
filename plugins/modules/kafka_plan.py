#!/usr/bin/python
"""Documentation of the action kafka_plan, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_plan
short_description: Report the differences between lists and a cluster
description:
  - Fails with a line for each difference, in both directions; + is in the lists alone, - is in the cluster alone, ~ differs.
  - Changes nothing.
  - Topics of Kafka's own programs are not compared, and neither is a password that is in no list and in no file.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  topics:
    description: The topics, as in the module kafka_topics.
    type: list
    elements: dict
    default: []
  users:
    description: The users, as in the module kafka_users.
    type: list
    elements: dict
    default: []
    no_log: true
  acls:
    description: The ACLs, as in the module kafka_acls.
    type: list
    elements: dict
    default: []
  quotas:
    description: The quotas, as in the module kafka_quotas.
    type: list
    elements: dict
    default: []
  mechanism:
    description: Mechanism of users that name none, as in the module kafka_users.
    type: str
    default: SCRAM-SHA-512
  secrets:
    description: Directory of secrets, as in the module kafka_users.
    type: path
    default: ""
  keep:
    description: Names of principals that belong to the cluster and not to the files. The principal of the connection is one.
    type: list
    elements: str
    default: []
  kinds:
    description: Kinds of items. Each one is asked for only if it is named.
    type: list
    elements: str
    choices: [topics, users, acls, quotas]
    default: [topics, users, acls, quotas]
  timeout:
    description: Seconds for each kind.
    type: int
    default: 60
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Report drift
  kafka_plan:
    client: "{{ client_properties }}"
    topics: "{{ topics }}"
    kinds: [topics]
"""
