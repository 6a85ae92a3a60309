"""Topics and groups that a run creates: their names, and their removal.

A name carries the time at which its run is over, so that another run recognizes the left-overs of a killed one.
"""

import datetime
import re
import uuid
from collections.abc import Callable

from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove
from kafka.errors import TopicDeletionDisabledError, for_code

from kafka_proof.client.wait import wait_until

_UNTIL = "%Y%m%dT%H%M%SZ"
SLACK = datetime.timedelta(minutes=5)  # for two machines whose clocks differ


def new_prefix(word: str, until: datetime.datetime) -> str:
    """Return the prefix of all names of a run: "WORD-20261123T150405Z-1a2b3c4d-".

    `until`: datetime in UTC at which the run is over and has removed everything.
    """
    return f"{word}-{until.strftime(_UNTIL)}-{uuid.uuid4().hex[:8]}-"


def is_left_over(name: str, word: str, now: datetime.datetime) -> bool:
    """Return whether the name is of a run that is over by `now` (UTC), and of no other program."""
    match = re.match(rf"{re.escape(word)}-(\d{{8}}T\d{{6}}Z)-[0-9a-f]{{8}}-", name)
    if not match:
        return False
    try:
        until = datetime.datetime.strptime(match[1], _UNTIL).replace(tzinfo=datetime.UTC)
    except ValueError:
        return False
    return removable(until) < now


def is_temporary(name: str) -> bool:
    """Return whether the name begins with the prefix of some run."""
    return re.match(r"[\w-]+-\d{8}T\d{6}Z-[0-9a-f]{8}-", name) is not None


def removable(until: datetime.datetime) -> datetime.datetime:
    """Return when any machine can take a run that is over at `until` (UTC) for dead."""
    return until + SLACK


def nobody_deletes(admin: KafkaAdminClient, unknown: str) -> bool:
    """Return whether the cluster deletes no topics (delete.topic.enable=false). `unknown`: a topic that does not exist.

    A broker says so before it looks whether the topic exists.
    """
    [answer] = admin.delete_topics([unknown], raise_errors=False)["topics"]
    return answer["error_code"] == TopicDeletionDisabledError.errno


def remove(admin: KafkaAdminClient, is_mine: Callable[[str], bool], what: str, topics: bool = True) -> list[str]:
    """Remove all groups, and all topics, whose name `is_mine` accepts; return the sorted names.

    `what`: their description, for the message. `topics=False` leaves topics alone.
    Another run can remove the same left-overs at the same time.
    Raises AssertionError when something is still there after a while, and kafka.errors.KafkaError.
    """
    removed: set[str] = set()

    def remove_groups() -> dict[str, str]:
        """Return why a group is still there: {name: reason}."""
        names = [group["group_id"] for group in admin.list_groups() if is_mine(group["group_id"])]
        if not names:
            return {}
        for group, description in admin.describe_groups(names).items():
            # A member that was killed holds its group until its session is over.
            if stranded := [MemberToRemove(member["member_id"]) for member in description["members"]]:
                admin.remove_group_members(group, stranded)
        removed.update(names)
        return dict(admin.delete_groups(names))

    def remove_topics() -> dict[str, str]:
        """Return why a topic is still there: {name: reason}."""
        names = sorted(filter(is_mine, admin.list_topics()))
        if not names:
            return {}
        removed.update(names)
        answers = admin.delete_topics(names, raise_errors=False)["topics"]
        return {answer["name"]: for_code(answer["error_code"]).__name__ for answer in answers}

    try:
        wait_until(f"the groups of {what} to be gone", remove_groups, good=lambda left: not left, pause=0.1)
    finally:
        if topics:
            wait_until(f"the topics of {what} to be gone", remove_topics, good=lambda left: not left, pause=0.1)
    return sorted(removed)
