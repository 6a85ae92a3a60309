#!/usr/bin/python
"""Documentation of the action node_compare, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: node_compare
short_description: Compare a node with its container
description:
  - Reads the container's settings only where their checksum differs.
  - The result holds settings, so no output shows it.
options:
  node:
    description: A node, as M(stack_nodes) returns it.
    type: dict
    required: true
  engine:
    description: The engine's report, as M(engine_info) returns it.
    type: dict
    required: true
  secrets:
    description: Directory of the files that C(node) names in C(secrets).
    type: path
    required: true
  restart_since:
    description: Restart the container unless it was started since then, in UTC.
    type: str
    default: ""
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Compare a node with its container
  node_compare:
      node: "{{ _kafka_node }}"
      engine: "{{ __stack_engine }}"
"""

RETURN = r"""
change:
  description: One of nothing, connect, unpause, start, restart or create.
  returned: success
  type: str
running:
  description: Whether the container runs.
  returned: success
  type: bool
settings:
  description: Settings before and after, where only they differ.
  returned: success
  type: dict
script:
  description: Shell commands of the change.
  returned: success
  type: str
diff:
  description: Difference without secrets.
  returned: success
  type: dict
"""
