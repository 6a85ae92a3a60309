#!/usr/bin/python
"""Documentation of the action engine_load, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: engine_load
short_description: Load an image from a tarball into a host's Docker engine
description:
  - One transfer, without checksums on either side, since the engine verifies every layer.
options:
  archive:
    description: Tarball on the controller, as C(docker save) writes it.
    type: str
    required: true
  name:
    description: Name that the image gets.
    type: str
    required: true
attributes:
  check_mode:
    description: Whether the action runs in check mode without a change.
    support: none
  diff_mode:
    description: Whether the action returns a difference.
    support: none
author: The kafka-proof authors
"""

EXAMPLES = r"""
- name: Load an image from a tarball into a host's Docker engine
  engine_load:
      archive: build/kafka.tar
      name: kafka-proof:3.9.2
"""

RETURN = r"""
"""
