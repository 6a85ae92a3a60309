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
extends_documentation_fragment: action.acts
"""

EXAMPLES = r"""
- name: Load an image from a tarball into a host's Docker engine
  engine_load:
      archive: build/kafka.tar
      name: kafka-proof:3.9.2
"""
