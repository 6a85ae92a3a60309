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
- name: Save an image of a host's Docker engine as a tarball on the controller
  engine_save:
      name: kafka-proof:3.9.2
      archive: build/kafka.tar
"""

RETURN = r"""
"""
