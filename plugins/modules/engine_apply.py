#!/usr/bin/python
"""Documentation of the action engine_apply, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: engine_apply
short_description: Carry out a change on a host's Docker engine
description:
  - Runs the shell script of a change by the C(docker) command, over Ansible's own connection.
  - The script arrives by standard input, so that no C(ps) shows it.
options:
  change:
    description: A change, as M(node_compare) and the filters C(stop) and C(removal) return it.
    type: dict
    required: true
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Carry out a change on a host's Docker engine
  engine_apply:
      change: "{{ __kafka_change }}"
"""
