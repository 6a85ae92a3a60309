#!/usr/bin/python
"""Documentation of the action engine_info, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: engine_info
short_description: Ask a host's Docker engine what it has
description:
  - Uses the C(docker) command and Ansible's own connection. The host needs nothing else.
  - A user who may not speak to the engine becomes root for it.
  - Of containers of other stacks and projects only the name, the image and the published ports are returned.
options:
  image:
    description: Name of the image to look for.
    type: str
    required: true
  stack:
    description: Name of the stack, whose label decides ownership.
    type: str
    default: ""
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Ask a host's Docker engine what it has
  engine_info:
      image: kafka-proof:3.9.2
"""

RETURN = r"""
can_talk_to_docker:
  description: Whether the engine answers.
  returned: success
  type: bool
installed:
  description: Whether the command C(docker) exists.
  returned: success
  type: bool
as_root:
  description: Whether root has to run later commands.
  returned: success
  type: bool
containers:
  description: The stack's containers, see kafka_proof.deploy.engine.parse. More keys are documented there.
  returned: success
  type: list
"""
