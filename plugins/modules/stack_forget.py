#!/usr/bin/python
"""Documentation of the action stack_forget, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: stack_forget
short_description: Remove the secrets that the stack created
description:
  - Removes passwords, certificates and keys that M(stack_certificates) and M(stack_stores) created, and the files of clients.
  - Certificates that the user gave stay.
options:
  secrets:
    description: The directory for secrets.
    type: path
    required: true
  clients:
    description: Directory of the files of clients.
    type: path
    required: true
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Remove secrets
  stack_forget:
    secrets: ~/.local/share/kafka-proof/kafka
    clients: build/clients
"""
