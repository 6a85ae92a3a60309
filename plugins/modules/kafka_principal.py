#!/usr/bin/python
"""Documentation of the action kafka_principal, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_principal
short_description: Let the deployment's principal log in
description:
  - Tries a login at each address for clients. Where SCRAM refuses it, a command in the container of a broker sets the password.
  - The command acts as the node, by the certificate of the node.
options:
  client:
    description: Client properties of the principal.
    type: dict
    required: true
  container:
    description: Container of a broker on the host of the task.
    type: str
    required: true
  address:
    description: HOST:PORT of that broker's listener between nodes.
    type: str
    required: true
  timeout:
    description: Seconds until the brokers must answer.
    type: int
    required: true
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Let the deployment log in
  kafka_principal:
    client: "{{ _stack_client }}"
    container: kafka
    address: kafka:19094
    timeout: 60
"""

RETURN = r"""
late: {description: Advice where no broker answered in time., returned: when no login was answered, type: str}
"""
