"""Lines over time as the numbers of a drawing, which macros.html.j2 draws as inline SVG: no script and no file.

Own code for a measured reason. matplotlib 3.11.2 needs 1.2 s for its import, and 150 MB on disk with its dependencies.
A plot of three lines needs 0.12 s and 26 kB. This code and its macro need 0.4 ms and 3 kB. The page's style sheet gives
the plot its colours: light, dark and on paper.
"""

from math import ceil, floor, log10

WIDTH, HEIGHT = 480, 220  # units of the drawing; the page shows it about as wide as this in pixels
LEFT, RIGHT, TOP, BOTTOM = 60, 22, 10, 44  # room for the labels around the plot
STYLES = 6  # colours and dashes in page.html.j2; a seventh line looks like the first
DOTS = 60  # up to so many measurements have a dot each; more would hide the line


def plot(name, series, unit=""):
    """Return the numbers of a plot, for the macro `figure` of macros.html.j2.

    `series`: dict[str, list of [seconds, value]]; a value of None interrupts its line. `unit` is that of the values.
    Returns a dict; its `lines` are [] when nothing was measured.
    """
    known = {line: [(x, y) for x, y in points if y is not None] for line, points in series.items()}
    points = [point for line in known.values() for point in line]
    if not points:
        return {"name": name, "lines": []}

    across = _ticks(*_ends(x for x, _ in points))
    up = _ticks(*_ends([0, *(y for _, y in points)]))
    ranges = {line: _range(values) for line, values in known.items()}
    return {
        "name": name,
        "unit": unit,
        "label": f"{name}, {unit or 'values'} over seconds. "
        + ". ".join(f"{line}: {values}" for line, values in ranges.items()),
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
        "up": [(_y(tick, up), f"{tick:g}") for tick in up],
        "across": [(_x(tick, across), f"{tick:g}") for tick in across],
        "lines": [
            {
                "name": line,
                "range": ranges[line],
                "style": f"s{index % STYLES}",
                "path": _path(values, across, up),
                "dots": [(_x(x, across), _y(y, up)) for x, y in known[line]] if len(values) <= DOTS else [],
            }
            for index, (line, values) in enumerate(series.items())
        ],
    }


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


def _path(points, across, up):
    """Return the data of an SVG path through the points; it lifts the pen where a value is None."""
    pen, steps = "M", []
    for x, y in points:
        if y is None:
            pen = "M"
        else:
            steps.append(f"{pen}{_x(x, across)} {_y(y, up)}")
            pen = "L"
    return "".join(steps)


def _range(points):
    if not points:
        return "not measured"
    low, high = _ends(y for _, y in points)
    return f"{low:g} to {high:g}, at last {points[-1][1]:g}"
