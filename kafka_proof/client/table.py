"""Columns of text for pages that people read and programs search.

rich draws the live view (kafka_proof/lag/live.py) and not these pages. Measured with rich 15.0 and Python 3.11, 10,000
rows of 11 columns as in bench/lag.py: rich.table.Table 4.9 s (3.7 s with fixed widths), `table` 0.04 s. Importing
rich.table takes 0.06 s more.
"""

from collections.abc import Sequence

from kafka_proof.client.text import printable

Cell = str | int | float | None


def table(header: Sequence[str], lines: Sequence[Sequence[Cell]]) -> list[str]:
    """Lay out lines in columns: numbers to the right, words to the left, "-" for None. Control characters are escaped.

    All lines have the length of `header`. Returns the lines of text, the header first; [] if there are no lines.
    """
    if not lines:
        return []
    cells = [["-" if cell is None else printable(cell) for cell in line] for line in [header, *lines]]
    columns = list(zip(*cells, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(cell.isdecimal() or cell == "-" for cell in column[1:]) for column in columns]
    return [
        "  " + "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in line).rstrip()
        for line in (zip(row, widths, numeric, strict=True) for row in cells)
    ]
