#!/usr/bin/python
"""Documentation of the action stack_nodes, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: stack_nodes
short_description: Derive the nodes of the stack from the inventory, and check them
description:
  - Uses the result of M(stack_variables) for each host, registered as C(__stack_variables).
  - The result holds settings, so no output shows it.
options:
  level:
    description: A level of kafka_proof/deploy/transition.py, through which a cluster becomes secure or open; else -1.
    type: int
    default: -1
  cluster:
    description: The id of the cluster, which nodes of KRaft without data join. Without it a new one is made.
    type: str
    default: ""
  phase:
    description:
      - A phase of kafka_proof/deploy/migration.py, through which a cluster moves from ZooKeeper to KRaft, or
        C(combine), for kafka_proof/deploy/combine.py.
    type: str
    choices: ["", zookeeper, controllers, dual-write, brokers, finalise, remove, combine]
    default: ""
  roles:
    description: Directory of the roles.
    type: path
    required: true
  check:
    description: Refuse images, servers, brokers and topics that cannot work.
    type: bool
    default: true
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Derive the nodes of the stack from the inventory
  stack_nodes:
    roles: roles
"""

RETURN = r"""
nodes:
  description: The nodes, see kafka_proof.deploy.node.
  returned: success
  type: list
archives:
  description: The content of the image tarballs of the inventory, by path.
  returned: success
  type: dict
"""
