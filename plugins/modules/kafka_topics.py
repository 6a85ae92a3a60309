#!/usr/bin/python
"""Ansible module: topics as data, over Kafka's own protocol. One connection for all topics, and no JVM."""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    from smoke.topics import have

    MISSING = None
except ImportError as error:
    MISSING = error

DOCUMENTATION = r"""
module: kafka_topics
short_description: Make a cluster's topics what they are wanted to be
description:
  - Creates topics, adds partitions, and sets configurations, all topics in one call.
  - Before anything is changed the broker is asked whether it would accept each change; if it refuses one, none is done.
  - Refuses what would lose messages or cannot be done in place, as fewer partitions or another replication factor.
  - Deletes only what O(absent) names.
  - An action of the same name runs it on the controller, where this project's Python environment is.
options:
  client_properties:
    description: Path of a file of client properties, which says where the cluster is and how to speak to it.
    type: path
    required: true
  topics:
    description: The topics that are wanted. Others are left alone.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the topic.
        type: str
        required: true
      partitions:
        description: How many partitions. Left out, a new topic gets the broker's default, an existing one keeps its.
        type: int
      replication_factor:
        description: How many replicas of each partition. Left out, as with O(topics[].partitions).
        type: int
      config:
        description: All that the topic configures itself. What is not named is reset. Left out, none is touched.
        type: dict
  absent:
    description: Names of topics that are to be deleted, with their messages.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that the whole call may take.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    details: Asks the broker to validate. Where none answers yet, it says what would be done with an empty one.
  diff_mode:
    support: full
author: The kafka-proof authors
"""

EXAMPLES = r"""
- name: Have the topics
  kafka_topics:
    client_properties: build/client.properties
    topics:
      - name: kafka_demo
        partitions: 2
        replication_factor: 1
        config:
          retention.ms: 86400000
"""

RETURN = r"""
created: {description: Names of topics that were created, returned: success, type: list, elements: str}
grown: {description: Names of topics that got more partitions, returned: success, type: list, elements: str}
configured: {description: Names of topics whose configuration was changed, returned: success, type: list, elements: str}
deleted: {description: Names of topics that were deleted, returned: success, type: list, elements: str}
"""

OPTIONS = {
    "client_properties": {"type": "path", "required": True},
    "topics": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "partitions": {"type": "int"},
            "replication_factor": {"type": "int"},
            "config": {"type": "dict"},
        },
    },
    "absent": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 60},
}


def main():
    """Run as an Ansible module."""
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    if MISSING:
        module.fail_json(
            msg=f"{missing_required_lib('kafka-proof')} Run this on the machine that has the project's environment: "
            f"delegate_to: localhost. ({MISSING})"
        )
    done = have(module.params, module.check_mode)
    (module.fail_json if done.get("failed") else module.exit_json)(**done)


if __name__ == "__main__":
    main()
