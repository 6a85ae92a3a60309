#!/usr/bin/python
"""Documentation of the action client_properties, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: client_properties
short_description: Write client.properties on the controller
description:
  - Replaces the file at once. A reader sees the old or the new content.
  - Creates the directory.
options:
  path:
    description: Path of the file.
    type: str
    required: true
  content:
    description: Content. If it is empty, the file is removed.
    type: str
    required: true
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Write client.properties on the controller
  client_properties:
      path: build/client.properties
      content: "bootstrap.servers=localhost:9092\n"
"""
