"""A report on lag as lines of text. Pure: from the result of `kafka_proof.lag.report.report`."""

from itertools import islice

from kafka_proof.client.table import table
from kafka_proof.client.text import printable

HEADER = ["group", "topic", "partition", "start", "committed", "end", "lag", "time lag", "owner", "state", ""]


def page(report):
    """Return the partitions of each group, and below them the group's summary: list of lines."""
    lines = iter(table(HEADER, [cells(row) for group in report["groups"] for row in group["partitions"]]))
    result = [*islice(lines, 1)]
    for group in report["groups"]:
        result += [*islice(lines, len(group["partitions"])), summary(group), ""]
    return result[:-1] if result else [none(report)]


def none(report):
    """Return the line for a report without groups."""
    return "groups: none" + ("" if report["all_groups"] else " that this client may see (Describe)")


def cells(row):
    """Return one partition of a report as the cells of a table, in the order of its header."""
    owner = "none" if row["owner"] == "" else row["owner"]
    offsets = (row["start"], row["committed"], row["end"], row["lag"])
    return [row["group"], row["topic"], row["partition"], *offsets, age(row), owner, row["state"], row["note"]]


def summary(group):
    """Return one group of a report as a line."""
    parts = [group["kafka_state"]] if group["type"] == "classic" else [group["type"], group["kafka_state"]]
    parts.append(f"members: {'unknown' if group['members'] is None else group['members']}")
    parts.append(f"kafka left: {'unknown' if group['left'] is None else group['left']}")
    if group["time_lag"]:
        parts.append(f"time lag: {age(group)}")
    if group["state"]:
        parts.append(group["state"])
    if group["note"]:
        parts.append(group["note"])
    return printable(f"{group['group']}: {', '.join(parts)}")


def age(thing):
    """Return the time lag of a group or a partition as text, with "> " before a least value; None if unknown."""
    if thing["time_lag"] is None:
        return None
    return ("> " if thing["time_lag_is_least"] else "") + duration(thing["time_lag"])


def duration(seconds):
    """Return seconds as text with at most two units: 0.4 s, 12 s, 3 min 5 s, 2 h 7 min, 3 d 4 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below} {smaller}"
    return f"{whole} s"
