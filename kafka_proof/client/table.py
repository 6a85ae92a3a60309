"""Columns of text, for people."""


def table(header, lines):
    """Lay out lines in columns: numbers to the right, words to the left, "-" for what is not known.

    `header`: list of str; `lines`: list of lists as long as it. Returns list[str], the header first; [] without lines.
    """
    if not lines:
        return []
    cells = [["-" if cell is None else str(cell) for cell in line] for line in [header, *lines]]
    columns = list(zip(*cells, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(cell.isdecimal() or cell == "-" for cell in column[1:]) for column in columns]
    return [
        "  " + "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in line).rstrip()
        for line in (zip(row, widths, numeric, strict=True) for row in cells)
    ]
