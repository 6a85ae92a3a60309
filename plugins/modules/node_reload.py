#!/usr/bin/python
"""Documentation of the action node_reload, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: node_reload
short_description: Load new certificates into a running node
description:
  - Copies the secret files that differ into the container, and makes the node load them without a restart.
options:
  node:
    description: The node, a broker or a controller.
    type: dict
    required: true
  secrets:
    description: Directory of the files that C(node) names in C(secrets).
    type: path
    required: true
  client:
    description: Client properties of the deployment.
    type: dict
    required: true
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Load the certificates
  node_reload:
    node: "{{ _stack_brokers | first }}"
    secrets: "{{ stack_secrets }}"
    client: "{{ _stack_client_now }}"
"""
