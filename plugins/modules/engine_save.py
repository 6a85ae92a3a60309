#!/usr/bin/python
"""Documentation of the action engine_save, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: engine_save
short_description: Save an image of a host's Docker engine as a tarball on the controller
description:
  - M(engine_load) takes the tarball to other hosts.
options:
  name:
    description: Name of the image.
    type: str
    required: true
  archive:
    description: Path of the tarball on the controller. Its directory is created.
    type: str
    required: true
extends_documentation_fragment: action.acts
"""

EXAMPLES = r"""
- name: Save an image of a host's Docker engine as a tarball on the controller
  engine_save:
      name: kafka-proof:3.9.2
      archive: build/kafka.tar
"""
