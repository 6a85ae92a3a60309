#!/usr/bin/python
"""Documentation of the action kafka_reach, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_reach
short_description: Verify from a host that each advertised address leads to its broker
description:
  - Needs C(python3) on the host, as Ansible does. A listener with another protocol than PLAINTEXT is only connected to.
options:
  addresses:
    description: List of broker id, address, and whether to ask which broker answers.
    type: list
    elements: "list"
    required: true
  timeout:
    description: Seconds for each address.
    type: int
    default: 10
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Verify from a host that each advertised address leads to its broker
  kafka_reach:
      addresses: [[1, "10.0.0.1:9092", true]]
"""
