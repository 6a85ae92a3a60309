"""Lines over time as one inline SVG: no script, no file, and colours that follow the page."""

from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 480, 220  # units of the drawing; the page shows it about as wide as this in pixels
LEFT, RIGHT, TOP, BOTTOM = 60, 22, 10, 44  # room for the labels around the plot
STYLES = 6  # colours and dashes in report.html; a seventh line looks like the first
DOTS = 60  # up to so many measurements are also shown one by one, because between two of them nothing is known


def plot(name, series, unit=""):
    """Return a figure, HTML, of `series`: dict[str, list of [seconds, value]]; a value of None interrupts its line.

    `name` says what is shown, `unit` is that of the values. All text is escaped here.
    """
    known = {line: [(x, y) for x, y in points if y is not None] for line, points in series.items()}
    points = [point for line in known.values() for point in line]
    if not points:
        return f'<figure class="plot"><figcaption>{escape(name)}: nothing was measured</figcaption></figure>'

    across = _ticks(*_ends(x for x, _ in points))
    up = _ticks(*_ends([0, *(y for _, y in points)]))
    seen = ". ".join(f"{line}: {_range(values)}" for line, values in known.items())
    label = f"{name}, {unit or 'values'} over seconds. {seen}"
    drawn = "".join(_line(index, points, across, up) for index, points in enumerate(series.values()))
    return (
        f'<figure class="plot"><figcaption><b>{escape(name)}</b>{_legend(known)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{_axes(across, up, unit)}{drawn}</svg></figure>"
    )


def _ends(values):
    values = list(values)
    return min(values), max(values)


def _ticks(low, high):
    """Return round numbers, at most seven, that begin at or below `low` and end at or above `high`."""
    about = (high - low) / 5 or 1
    power = 10 ** floor(log10(about))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= about * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _place(value, ticks, start, end):
    return round(start + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (end - start), 1)


def _x(value, across):
    return _place(value, across, LEFT, WIDTH - RIGHT)


def _y(value, up):
    return _place(value, up, HEIGHT - BOTTOM, TOP)


def _axes(across, up, unit):
    parts = [
        f'<path class="grid" d="M{LEFT} {_y(tick, up)}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{_y(tick, up)}" dy=".35em" text-anchor="end">{tick:g}</text>'
        for tick in up
    ]
    parts += [
        f'<text x="{_x(tick, across)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:g}</text>'
        for tick in across
    ]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts += [
        f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 5}" text-anchor="middle">seconds</text>',
    ]
    if unit:
        parts.append(f'<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">{escape(unit)}</text>')
    return "".join(parts)


def _line(index, points, across, up):
    pen, steps = "M", []
    for x, y in points:
        if y is None:
            pen = "M"
        else:
            steps.append(f"{pen}{_x(x, across)} {_y(y, up)}")
            pen = "L"
    style = f"s{index % STYLES}"
    dots = "".join(f'<circle cx="{_x(x, across)}" cy="{_y(y, up)}" r="2.5"/>' for x, y in points if y is not None)
    return (
        f'<path class="line {style}" d="{"".join(steps)}"/>' if steps else ""
    ) + f'<g class="dots {style}">{dots if len(points) <= DOTS else ""}</g>'


def _legend(series):
    entries = "".join(
        f'<li><svg viewBox="0 0 28 10" aria-hidden="true"><path class="line s{index % STYLES}" d="M1 5H27"/></svg>'
        f"{escape(line)} <small>{_range(values)}</small></li>"
        for index, (line, values) in enumerate(series.items())
    )
    return f"<ul>{entries}</ul>"


def _range(points):
    if not points:
        return "not measured"
    low, high = _ends(y for _, y in points)
    return f"{low:g} to {high:g}, at last {points[-1][1]:g}"
