#!/usr/bin/python
"""Documentation of the action adopt_inventory, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: adopt_inventory
short_description: Write the inventory of containers of other images
description:
  - Writes an inventory in YAML whose nodes take the containers over.
  - Never overwrites a file that differs, because it may have corrections. Check mode shows the difference.
  - Text of the containers is data. A text with braces is marked as no template.
  - The result holds settings, so no output shows it.
options:
  containers:
    description: The containers, as M(engine_foreign) returns them, of all hosts.
    type: list
    elements: dict
    required: true
  names:
    description: Names of containers that have to be among them.
    type: list
    elements: str
    default: []
  stack:
    description: Name of the stack.
    type: str
    required: true
  roles:
    description: Directory of the roles.
    type: path
    required: true
  path:
    description: The file on the controller.
    type: path
    required: true
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Write the inventory of containers of other images
  adopt_inventory:
      containers: "{{ __adopt_containers.containers }}"
      stack: adopted
      roles: roles
      path: build/adopted/adopted.yml
"""

RETURN = r"""
lines:
  description: Facts that were read, and settings that the inventory leaves out, for people.
  returned: success
  type: list
"""
