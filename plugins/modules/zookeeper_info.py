#!/usr/bin/python
"""Documentation of the action zookeeper_info, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: zookeeper_info
short_description: Ask a ZooKeeper server in a container for its role in the ensemble
description:
  - Never fails.
options:
  container:
    description: Name of the container.
    type: str
    required: true
  instead_of:
    description: Name of a container of another image, which serves until this node has taken it over.
    type: str
    default: ""
  timeout:
    description: Seconds to wait until it serves. C(0) asks once.
    type: int
    default: 0
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Ask a ZooKeeper server in a container for its role in the ensemble
  zookeeper_info:
      container: zookeeper
"""

RETURN = r"""
mode:
  description: One of leader, follower, standalone; empty if the server does not serve.
  returned: success
  type: str
msg:
  description: Why it does not serve.
  returned: success
  type: str
"""
