"""One look at consumer groups as plain values: states, lags and limits. Pure."""

import math
from datetime import UTC, datetime

from kafka import TopicPartition

from kafka_proof.lag.offsets import left
from kafka_proof.lag.state import Seen, worst


def report(groups, history, now, written=None, all_groups=True):
    """Judge list[kafka_proof.lag.look.GroupLag]. Returns a dict, ready for JSON:

    at       str, UTC
    all_groups   bool: whether there are no others, which this client may not see; asked only where there is none
    groups   [{group, type ("classic", "consumer", "share", "streams", "connect", …), kafka_state ("Stable", …), note
             (why a value is unknown, or ""), members, left, time_lag, time_lag_is_least, state (the worst),
             partitions: [{group, topic, partition, start, committed, end, lag, time_lag, time_lag_is_least,
             owner ("client id/host", "" for no member), state, note}]}]

    Offsets and lags are int, time_lag is in seconds, and None means unknown. `history`: a History; this look is added
    to it. `now`: (seconds of a clock that never goes back, seconds since 1970). `written`: the result of
    `kafka_proof.lag.look.timestamps`, for a time lag from messages rather than from history.
    """
    at, wall = now
    history.add(
        {
            (each.group, row.topic, row.partition): Seen(
                at, row.committed, row.start, row.end, row.lag, None if each.owners is None else bool(_owner(each, row))
            )
            for each in groups
            for row in each.partitions
        }
    )
    return {
        "at": datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds"),
        "all_groups": all_groups,
        "groups": [_group(each, history, wall, written) for each in groups],
    }


def _group(each, history, wall, written):
    rows = [_partition(each, row, history, wall, written) for row in each.partitions]
    aged = [row for row in rows if row["time_lag"] is not None]
    oldest = max(aged, key=lambda row: row["time_lag"], default={})
    return {
        "group": each.group,
        "type": each.kind,
        "kafka_state": each.state,
        "note": each.reason,
        "members": each.members,
        # Without commits and owners, the topics of a group are unknown.
        "left": None if each.reason and not each.partitions else left(each.partitions),
        "time_lag": oldest.get("time_lag"),
        "time_lag_is_least": oldest.get("time_lag_is_least", False),
        "state": worst(row["state"] for row in rows),
        "partitions": rows,
    }


def _partition(each, row, history, wall, written):
    key = each.group, row.topic, row.partition
    seconds, exact = _time_lag(row, key, history, wall, written)
    return {
        "group": each.group,
        "topic": row.topic,
        "partition": row.partition,
        "start": row.start,
        "committed": row.committed,
        "end": row.end,
        "lag": row.lag,
        "time_lag": None if seconds is None else round(max(0.0, seconds), 3),  # clocks differ
        "time_lag_is_least": not exact,
        "owner": _owner(each, row),
        "state": history.state(key),
        "note": row.note,
    }


def _owner(each, row):
    return None if each.owners is None else each.owners.get(TopicPartition(row.topic, row.partition), "")


def _time_lag(row, key, history, wall, written):
    """Return (seconds or None, whether that is exact)."""
    if not row.lag:
        return (None if row.lag is None else 0.0), True
    goes_on = row.end - row.lag
    if written is not None:
        # No message there: only the marker of a transaction is left, and no consumer gets that.
        milliseconds = written.get((TopicPartition(row.topic, row.partition), goes_on), wall * 1000)
        return (None if milliseconds is None else wall - milliseconds / 1000), True
    seconds, exact = history.time_lag(key, goes_on)
    return (seconds, exact) if exact or seconds else (None, True)  # a single look is no history


def exceeded(seen, max_lag, max_time_lag):
    """Return one line for each limit that a report exceeds: list of str.

    `max_lag`: offsets in a partition; `max_time_lag`: seconds; None is no limit. An unknown value exceeds a limit.
    """
    rows = [row for group in seen["groups"] for row in group["partitions"]]
    unknown = [group for group in seen["groups"] if group["left"] is None and not group["partitions"]]
    lines = []
    for option, limit, key in (("--max-lag", max_lag, "lag"), ("--max-time-lag", max_time_lag, "time_lag")):
        for group in unknown if limit is not None else ():
            lines.append(f"{option} {limit:g}: not known of group {group['group']}: {group['note']}")
        over = [row for row in rows if limit is not None and (row[key] is None or row[key] > limit)]
        if over:
            most = max(over, key=lambda row: math.inf if row[key] is None else row[key])
            value = f"not known ({most['note'] or 'no timestamp'})" if most[key] is None else most[key]
            lines.append(
                f"{option} {limit:g}: exceeded in {len(over)} of {len(rows)} partitions, "
                f"most by group {most['group']}, topic {most['topic']}, partition {most['partition']}: {value}"
            )
    return lines
