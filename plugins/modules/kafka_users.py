#!/usr/bin/python
"""Documentation of the action kafka_users, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_users
short_description: Make a cluster's SCRAM users match a list
description:
  - Creates users and changes passwords and iterations, all users in one call. Deletes only what O(absent) names, unless O(prune).
  - A cluster reports no passwords. A login with the wanted password shows whether it is the current one.
  - Through a listener without such a login, existing users keep their passwords, with a warning.
  - No password appears in a result, a difference or a message.
  - Needs the rights Describe and Alter on the cluster.
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  users:
    description: The users. Others stay as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      password:
        description: The password. Left out, it is in the file users/NAME of O(secrets), which is made if there is none.
        type: str
        no_log: true
      mechanism:
        description: Mechanism of the login, without it that of O(mechanism). A user with two mechanisms is two items.
        type: str
        choices: [SCRAM-SHA-512, SCRAM-SHA-256, PLAIN]
      iterations:
        description: Iterations of the hash, 4096 to 16384. Left out, a new user gets 4096, and others keep theirs.
        type: int
  absent:
    description: Names of users to delete, with all mechanisms.
    type: list
    elements: str
    default: []
  mechanism:
    description: Mechanism of users that name none. Users without SCRAM, by PLAIN or by a certificate, are left out.
    type: str
    default: SCRAM-SHA-512
  secrets:
    description: Directory of secrets on the controller, for passwords that the list does not have.
    type: path
    default: ""
  prune:
    description: Whether to remove what the list does not name. Each removal is shown before the first change.
    type: bool
    default: false
  keep:
    description: Names of principals that no pruning touches, such as super users. The principal of the connection is one.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that the whole call may take.
    type: int
    default: 60
attributes:
  check_mode:
    description: Whether the action runs in check mode without a change.
    support: full
    details: Where no broker answers yet, the result is that for an empty cluster.
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Apply the users
  kafka_users:
    client: "{{ client_properties }}"
    users:
      - name: alice
      - name: bob
        password: "{{ vault_password_of_bob }}"
    secrets: ~/.local/share/kafka-proof/kafka
"""

RETURN = r"""
changes: {description: "One line for each change: + creates, ~ changes, - removes.", returned: success, type: list, elements: str}
"""
