#!/usr/bin/python
"""Documentation of the action kafka_export, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_export
short_description: Write the variables that describe a cluster
description:
  - Writes a YAML file for C(group_vars), with which the module kafka_plan finds no difference.
  - Users have no passwords in it. Names are data; a name with braces is no template.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  path:
    description: The file on the controller.
    type: path
    required: true
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
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Write the variables
  kafka_export:
    client: "{{ client_properties }}"
    path: group_vars/kafka/access.yml
"""
