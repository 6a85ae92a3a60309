#!/usr/bin/python
"""Documentation of the action engine_foreign, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: engine_foreign
short_description: Read containers of other images that run Kafka or ZooKeeper
description:
  - Reads running containers whose layout is known, by C(docker inspect) and C(docker exec). Changes nothing.
  - The result holds environments, so no output shows it.
options:
  containers:
    description: Names of the containers; empty for all that have a known layout.
    type: list
    elements: str
    default: []
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Read containers of other images that run Kafka or ZooKeeper
  engine_foreign:
      containers: [kafka]
"""

RETURN = r"""
containers:
  description: The containers, for M(adopt_inventory).
  returned: success
  type: list
"""
