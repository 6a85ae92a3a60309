#!/usr/bin/python
"""Documentation of the action image_pull, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: image_pull
short_description: Pull an image and give it a name
description:
  - "Runs C(docker pull) and C(docker tag). Never fails: the caller may have another way to get the image."
options:
  reference:
    description: Image to pull, by tag or by digest.
    type: str
    required: true
  name:
    description: Name that the image gets.
    type: str
    required: true
  timeout:
    description: Seconds without an answer after which the pull is given up.
    type: int
    required: true
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Pull an image and give it a name
  image_pull:
      reference: docker.io/apache/kafka:3.9.2
      name: kafka-proof:3.9.2
      timeout: 20
"""

RETURN = r"""
refusal:
  description: Why the image could not be pulled; empty after success.
  returned: success
  type: str
"""
