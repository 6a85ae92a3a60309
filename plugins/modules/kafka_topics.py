#!/usr/bin/python
"""Documentation of the action kafka_topics, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_topics
short_description: Make a cluster's topics match a list
description:
  - Creates topics, adds partitions, and sets configurations, all topics in one call.
  - Before anything is changed the broker is asked whether it would accept each change; if it refuses one, none is done.
  - Refuses what would lose messages or cannot be done in place, as fewer partitions; and another replication factor unless O(reassign).
  - Deletes only what O(absent) names, unless O(prune).
  - Runs on the controller, where this project's Python environment is.
options:
  client:
    description: Kafka's own client properties, which say where the cluster is and how to speak to it.
    type: dict
    required: true
  topics:
    description: The topics. Others stay as they are.
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
        description: All that the topic configures itself. A setting without a name here is reset. Left out, none is touched.
        type: dict
  absent:
    description: Names of topics to delete, with their messages.
    type: list
    elements: str
    default: []
  prune:
    description:
      - Whether to delete topics that the list does not name, with their messages. Each one is shown before the first change.
      - Topics of Kafka's own programs stay, such as C(__consumer_offsets) and those of Connect, Streams and MirrorMaker.
    type: bool
    default: false
  reassign:
    description: Whether to copy or drop replicas where the replication factor differs. Other topics stay where they are.
    type: bool
    default: false
  throttle:
    description: Bytes/s that a broker may send, and receive, for O(reassign). 0 means no limit.
    type: int
    default: 50000000
  timeout:
    description: Seconds that the whole call may take; for O(reassign), without progress.
    type: int
    default: 60
attributes:
  check_mode:
    description: Whether the action runs in check mode without a change.
    support: full
    details: Asks the broker to validate. Where none answers yet, it says what would be done with an empty one.
extends_documentation_fragment: action
"""

EXAMPLES = r"""
- name: Apply the topics
  kafka_topics:
    client: {bootstrap.servers: "localhost:9092"}
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
moved: {description: Names of topics that got another replication factor, returned: success, type: list, elements: str}
changes: {description: "One line for each change: + creates, ~ changes, - deletes.", returned: success, type: list, elements: str}
deleted: {description: Names of topics that were deleted, returned: success, type: list, elements: str}
"""
