"""The functions of kafka_proof.deploy as Jinja filters."""

import functools
from pathlib import Path

from ansible import context

from kafka_proof.deploy import containers, diagnosis, files, image, listeners, stack, topics, zookeeper

_IMAGE_FILES = Path(__file__).parents[2] / "roles" / "kafka_image" / "files"


def _stack_options(sources, usual, stack_name):
    return stack.stack_options(sources, usual, stack_name, context.CLIARGS.get("extra_vars", ()))


class FilterModule:
    """Make the functions available to roles and playbooks."""

    def filters(self):
        functions = (
            containers.engine_change,
            containers.engine_removal,
            containers.engine_stop,
            diagnosis.kafka_diagnoses,
            files.to_properties,
            image.image_archives,
            image.image_giver,
            image.image_is_there,
            image.images_problems,
            listeners.kafka_addresses,
            listeners.kafka_bind_address,
            listeners.kafka_client,
            listeners.kafka_client_now,
            listeners.kafka_client_there,
            listeners.kafka_listener_properties,
            listeners.kafka_problems,
            listeners.kafka_published_ports,
            listeners.kafka_to_plan,
            stack.engines,
            stack.host_problems,
            stack.is_local,
            stack.own_containers,
            stack.protocol_kept,
            stack.protocol_to_keep,
            stack.sharing,
            stack.smoke_options,
            stack.stack_problems,
            topics.topic_problems,
            zookeeper.zookeeper_batches,
            zookeeper.zookeeper_left_behind,
            zookeeper.zookeeper_ports,
            zookeeper.zookeeper_problems,
            zookeeper.zookeeper_servers,
            zookeeper.zookeeper_stranger_leads,
        )
        return {function.__name__: function for function in functions} | {
            "image_recipe": functools.partial(image.image_recipe, files=_IMAGE_FILES),
            "stack_options": _stack_options,
        }
