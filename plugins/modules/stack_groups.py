#!/usr/bin/python
"""Documentation of the action stack_groups, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: stack_groups
short_description: Check the groups, and find hosts that share an engine
description:
  - On one engine containers reach each other by their names, on several by their hosts' addresses.
options:
  check_limit:
    description: Refuse a run that C(--limit) restricts to some of the hosts.
    type: bool
    default: true
  migrates:
    description: Whether the play moves the cluster from ZooKeeper to KRaft, and so needs hosts in the groups of both.
    type: bool
    default: false
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Check the groups, and find hosts that share an engine
  stack_groups:
"""

RETURN = r"""
engines:
  description: The engine of each host. Hosts with the same text share one.
  returned: success
  type: dict
"""
