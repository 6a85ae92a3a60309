#!/usr/bin/python
"""Documentation of the action zookeeper_records, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: zookeeper_records
short_description: Read or remove the records of a migration in ZooKeeper
options:
  server:
    description: The node of a ZooKeeper server, whose container is on the host.
    type: dict
    required: true
  broker:
    description: The node of a broker or controller with ZooKeeper, whose settings say where its records are.
    type: dict
    required: true
  state:
    description:
      - C(read); C(copied) to wait until all metadata is copied to the controllers, and to return what was read last;
        or C(absent) to remove the records. No controller of KRaft may run then.
    type: str
    choices: [read, copied, absent]
    default: read
  timeout:
    description: Seconds to wait with C(copied).
    type: int
    default: 0
extends_documentation_fragment: action.reads
"""

EXAMPLES = r"""
- name: Read the records of the migration
  zookeeper_records:
    server: "{{ server }}"
    broker: "{{ broker }}"
"""

RETURN = r"""
cluster:
  description: The id of the cluster.
  returned: success
  type: str
migration:
  description: Whether a record of a migration exists.
  returned: success
  type: bool
copied:
  description: Whether all metadata was copied to the controllers.
  returned: success
  type: bool
kraft:
  description: Whether a controller of KRaft leads.
  returned: success
  type: bool
brokers:
  description: Ids of the brokers that are registered in ZooKeeper.
  returned: success
  type: list
"""
