#!/usr/bin/python
"""Documentation of the action kafka_features, for ansible-doc. The action runs on the controller."""

DOCUMENTATION = r"""
module: kafka_features
short_description: Check or finalise the features of a Kafka version, in KRaft mode
description:
  - "C(readable): fails unless this version reads the metadata that the cluster finalised."
  - "C(forgets-controllers): fails unless the registration of a controller that left can be removed, too."
  - "C(planned): reports which features would be finalised, and whether a way back exists."
  - "C(finalised): finalises them. It never lowers one."
options:
  client:
    description: Client properties of the cluster, in Kafka's own words.
    type: dict
    required: true
  version:
    description: Version of Kafka, such as 4.4.0.
    type: str
    required: true
  state:
    description: The check or the change.
    type: str
    required: true
    choices: ["readable", "forgets-controllers", "planned", "finalised"]
extends_documentation_fragment: action.acts
"""

EXAMPLES = r"""
- name: Finalise the features
  kafka_features:
    client: {bootstrap.servers: "localhost:9092"}
    version: 4.4.0
    state: finalised
"""

RETURN = r"""
msg:
  description: The features, and whether a way back exists.
  returned: for planned and finalised
  type: str
pending:
  description: Whether features are left to finalise.
  returned: for planned and finalised
  type: bool
"""
