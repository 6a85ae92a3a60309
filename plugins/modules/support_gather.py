#!/usr/bin/python
"""Documentation of the action support_gather, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: support_gather
short_description: Ask a host for its part of a support bundle
description:
  - Uses a shell over Ansible's own connection, so it works where neither Python nor an engine does.
  - Writes the answers to the controller, without secrets.
options:
  directory:
    description: Directory on the controller. It is created.
    type: str
    required: true
  containers:
    description: Names of the containers.
    type: list
    elements: "str"
    required: true
  since:
    description: Age of the oldest log line, as C(docker logs --since) takes it.
    type: str
    required: true
  log_bytes:
    description: Bytes of each log, from its end.
    type: int
    required: true
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Ask a host for its part of a support bundle
  support_gather:
      directory: build/support/host-1
      containers: [kafka]
      since: 24h
      log_bytes: 5000000
"""

RETURN = r"""
missing:
  description: Sections that the host could not provide.
  returned: success
  type: list
"""
