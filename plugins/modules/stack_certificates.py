#!/usr/bin/python
"""Documentation of the action stack_certificates, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: stack_certificates
short_description: Make passwords, and say which certificates are missing
description:
  - Keeps the password of the deployment's principal in a file on the machine that runs Ansible.
  - Returns the certificates that are missing; it makes none.
options:
  security:
    description: The variable C(kafka_security).
    type: dict
    required: true
  nodes:
    description: The nodes of the stack.
    type: list
    elements: dict
    required: true
  secrets:
    description: The directory for secrets.
    type: path
    required: true
  step:
    description: A step of a rotation; without one, only what does not exist is missing.
    type: str
    choices: ["", trust, keys, finish, succeed]
    default: ""
  users:
    description: The users, C(kafka_users).
    type: list
    elements: dict
    default: []
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Provide secrets
  stack_certificates:
    security: {clients: sasl_ssl}
    nodes: "{{ _stack_nodes }}"
    secrets: ~/.local/share/kafka-proof/kafka
"""

RETURN = r"""
certificates:
  description: The missing ones, each {path, subject, names, authority, days}; authorities come first.
  type: list
  elements: dict
  returned: always
"""
