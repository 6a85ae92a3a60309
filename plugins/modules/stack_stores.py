#!/usr/bin/python
"""Documentation of the action stack_stores, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: stack_stores
short_description: Write what nodes and clients trust, and the files of clients
description:
  - Writes the authorities that are trusted, during a rotation the old one and the next one.
  - Writes one file for each user, with mode 0600, for Kafka's own commands, this project, kcat and other programs.
  - Where clients prove themselves by certificates, also writes the key store of each user and of the deployment.
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
  step:
    description: A step of a rotation; in C(finish), the next authority is trusted alone.
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
- name: Write the properties of clients
  stack_stores:
    security: "{{ _stack_security }}"
    nodes: "{{ _stack_nodes }}"
    access: "{{ _stack_access }}"
    addresses: [localhost:9092]
    directory: build/clients
    users: [{name: alice}]
"""
