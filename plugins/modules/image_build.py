#!/usr/bin/python
"""Documentation of the action image_build, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: image_build
short_description: Build an image on a host's Docker engine
description:
  - Runs C(docker build) with the classic builder, which needs no plug-in.
options:
  name:
    description: Name of the image.
    type: str
    required: true
  path:
    description: Directory on the host that holds the Dockerfile.
    type: str
    required: true
  arguments:
    description: Build arguments, by name.
    type: dict
    default: {}
  timeout:
    description: Seconds that the build may take.
    type: int
    default: 900
extends_documentation_fragment: action.acts
"""

EXAMPLES = r"""
- name: Build an image on a host's Docker engine
  image_build:
      name: kafka-proof:3.9.2
      path: /var/tmp/kafka-image
"""
