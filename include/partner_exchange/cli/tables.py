"""Tables whose cells can be copied and whose lines can be searched."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_FOLDED_WIDTH = 40
"""How wide a cell may be without being folded, however narrow the terminal is."""


def print_table(
    header: Sequence[str], rows: Iterable[Sequence[str | Text]], *, folded: Collection[str] = ()
) -> None:
    """Print a table without frame, or that there is nothing to show; no cell is ever cut.

    Text of a cell is shown as it is, never as markup. In a terminal only the columns ``folded`` break into
    lines; the others keep to one, also when the terminal has to break it. Elsewhere, in a pipe or a file,
    each row is one line.
    """
    console = Console()
    table = Table(box=None, pad_edge=False)
    cells = [
        [Text(" ".join(one.splitlines())) if isinstance(one, str) else one for one in row] for row in rows
    ]
    for place, title in enumerate(header):
        is_folded = console.is_terminal and title in folded
        longest = max((row[place].cell_len for row in cells), default=0)
        width = min(_FOLDED_WIDTH, longest) if is_folded else None
        table.add_column(title, no_wrap=not is_folded, overflow="fold", min_width=width)
    for row in cells:
        table.add_row(*row)
    if not table.row_count:
        print("There are none.")
        return
    needed = Measurement.get(console, console.options.update(max_width=1_000_000), table)
    if console.is_terminal:
        console.width = max(console.width, needed.minimum)
        console.print(table)
        return
    console.width = needed.maximum
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))
