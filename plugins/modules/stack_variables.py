#!/usr/bin/python
"""Documentation of the action stack_variables, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: stack_variables
short_description: Check and convert the variables of a host
description:
  - Refuses variables that look like this project's and are not, or are mistyped. One task for all roles and all variables of a host.
  - The result holds values of variables, so no output shows it.
options:
  roles:
    description: Directory of the roles, whose meta/argument_specs.yml say which variables exist.
    type: path
    required: true
  only:
    description: Prefixes of the variables whose values matter.
    type: list
    elements: "str"
    default: [""]
  any_mode:
    description: Accept variables for ZooKeeper and for KRaft, as a migration between them needs.
    type: bool
    default: false
  lock:
    description: Refuse a second run that changes the stack while this one does.
    type: bool
    default: true
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Check and convert the variables of a host
  stack_variables:
      roles: roles
"""

RETURN = r"""
values:
  description: Values by name, converted to their types.
  returned: success
  type: dict
"""
