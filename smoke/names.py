"""Names of what a run makes. They say until when it may live, so that another run can tell what a dead one left."""

import datetime
import re
import uuid

_UNTIL = "%Y%m%dT%H%M%SZ"
SLACK = datetime.timedelta(minutes=5)  # for two machines whose clocks differ


def new_prefix(word, until):
    """Return what all names of a run begin with: "WORD-20261123T150405Z-1a2b3c4d-".

    `until`: datetime in UTC at which the run is over and has removed everything.
    """
    return f"{word}-{until.strftime(_UNTIL)}-{uuid.uuid4().hex[:8]}-"


def is_left_over(name, word, now):
    """Whether a run that is over by `now` (datetime, UTC) made this topic or group, and nobody else did."""
    match = re.match(rf"{re.escape(word)}-(\d{{8}}T\d{{6}}Z)-[0-9a-f]{{8}}-", name)
    if not match:
        return False
    try:
        until = datetime.datetime.strptime(match[1], _UNTIL).replace(tzinfo=datetime.UTC)
    except ValueError:
        return False
    return removable(until) < now


def removable(until):
    """When a run that is over at `until` (datetime, UTC) may be taken for dead by any machine."""
    return until + SLACK
