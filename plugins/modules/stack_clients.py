#!/usr/bin/python
"""Documentation of the action stack_clients, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: stack_clients
short_description: Write the properties of each user
description:
  - Writes one file for each user, with mode 0600, for Kafka's own commands, this project, kcat and other programs.
  - Where clients prove themselves by certificates, also writes the key store of each user and of the deployment.
options:
  access:
    description: Access control of the stack, from M(stack_nodes).
    type: dict
    required: true
  addresses:
    description: Addresses of the brokers for clients.
    type: list
    elements: str
    required: true
  directory:
    description: Directory of the files.
    type: path
    required: true
  users:
    description: The users, C(kafka_users).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Write the properties of clients
  stack_clients:
    access: "{{ _stack_access }}"
    addresses: [localhost:9092]
    directory: build/clients
    users: [{name: alice}]
"""
