"""How a report on lag looks to people. Pure: text from what `kafka_proof.lag.report.report` returned."""

from kafka_proof.client.table import table

_HEADER = [
    *["group", "topic", "partition", "start", "committed", "end"],
    *["lag", "time lag", "owner", "state", ""],
]
_BARS = "▁▂▃▄▅▆▇█"


def page(report):
    """Return the whole table, and after each group's partitions what Kafka has left for it: list of lines."""
    header, *lines = table(_HEADER, [_cells(each) for group in report["groups"] for each in group["partitions"]]) or [
        ""
    ]
    result = [header] if header else []
    for group in report["groups"]:
        count = len(group["partitions"])
        result += [*lines[:count], f"{group['group']}: {summary(group)}", ""]
        lines = lines[count:]
    return result[:-1] if result else ["groups: none"]


def summary(group):
    """Return a group in one phrase, without its name."""
    parts = [group["kafka_state"]]
    if group["members"] is not None:
        parts.append(f"members: {group['members']}")
    parts.append(f"kafka left: {_or_unknown(group['left'])}")
    if group["time_lag"]:
        parts.append(f"time lag: {_age(group)}")
    if group["state"]:
        parts.append(group["state"])
    return ", ".join(parts)


def frame(report, trends, title, width, height):
    """Return what fits on a terminal of `width` columns and `height` lines: list of lines.

    `trends`: dict[group, what it had left at each look].
    """
    groups = table(
        ["group", "kafka left", "time lag", "state", "members"],
        [
            [_shortened(each["group"], width - 60), each["left"], _age(each), each["state"], each["members"]]
            for each in report["groups"]
        ],
    )
    used = max(map(len, groups), default=0)
    drawn = ["look by look", *(sparkline(list(trends[each["group"]])[used + 2 - width :]) for each in report["groups"])]
    lines = [title, "", *(f"{left:{used}}  {right}" for left, right in zip(groups, drawn, strict=False))]
    lines += [] if groups else ["  groups: none"]
    names = (width - 90) // 2  # what the other columns leave for the group's and the topic's
    partitions = [
        each | {key: _shortened(each[key], names) for key in ("group", "topic")}
        for group in report["groups"]
        for each in group["partitions"]
    ]
    rows = table(_HEADER, [_cells(each) for each in partitions])
    lines += ["", *rows] if rows else []
    if len(lines) > height:
        lines = [*lines[: height - 1], f"  … {len(lines) - height + 1} more lines; kafka-lag without --watch shows all"]
    return [line[:width] for line in lines]


def _shortened(name, width):
    width = max(width, 16)
    return name if len(name) <= width else f"{name[: width - 1]}…"


def sparkline(values):
    """Draw numbers as bars, the greatest as the tallest; " " for None."""
    top = max((value for value in values if value is not None), default=0) or 1
    return "".join(" " if value is None else _BARS[value * (len(_BARS) - 1) // top] for value in values)


def duration(seconds):
    """Write seconds as a person would: 0.4 s, 12 s, 3 min 5 s, 2 h 7 min, 3 d 4 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below} {smaller}"
    return f"{whole} s"


def _cells(each):
    return [
        *[each["group"], each["topic"], each["partition"], each["start"], each["committed"], each["end"], each["lag"]],
        *[_age(each), "none" if each["owner"] == "" else each["owner"], each["state"], each["note"]],
    ]


def _age(thing):
    if thing["time_lag"] is None:
        return None
    return ("> " if thing["time_lag_is_least"] else "") + duration(thing["time_lag"])


def _or_unknown(value):
    return "unknown" if value is None else value
