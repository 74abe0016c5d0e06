"""What a run says: the plan, live progress, a failure in ten lines, the closing table, the log.

Words and layout only; what is true is handed in.
"""

import os
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from lib import redaction
from lib.records import FailedStep, now
from lib.runner.plan import Planned

if TYPE_CHECKING:
    from tqdm import tqdm


class Terminal:
    """Lines to the terminal and to the runs' logs; below them, in a real terminal, a bar a running step."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.live = self.out.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.live and "NO_COLOR" not in os.environ
        self.logs: dict[str, TextIO] = {}  # by run
        self._bars: dict[str, tqdm[NoReturn]] = {}
        self._lock = threading.Lock()

    def open_log(self, run: str, path: Path) -> None:
        """From now on every line of a run is also kept, with its time, in `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.logs[run] = path.open("a", encoding="utf-8")

    def say(self, text: str = "", run: str = "") -> None:
        """One or more lines that stay, of one run or of all."""
        text = redaction.text(text)
        with self._lock:
            try:
                if self._bars:
                    next(iter(self._bars.values())).write(text, file=self.out)
                else:
                    print(text, file=self.out, flush=True)
            except OSError:  # whoever read us is gone; the logs go on
                self.out = open(os.devnull, "w")  # noqa: SIM115, PTH123
            for name in [run] if run in self.logs else list(self.logs):
                try:
                    lines = [f"{now()}  {click.unstyle(line)}\n" for line in text.splitlines()]
                    self.logs[name].writelines(lines)
                    self.logs[name].flush()
                except OSError:  # a full disk must not hide what is said on the terminal
                    del self.logs[name]

    def progress(self, steps: Iterable[tuple[str, int, int]]) -> None:
        """Show how far the running steps are: name, cell k of n."""
        if not self.live:
            return
        from tqdm import tqdm

        running = {name: (cell, cells) for name, cell, cells in steps}
        with self._lock:
            for name in [name for name in self._bars if name not in running]:
                self._bars.pop(name).close()
            for name, (cell, cells) in running.items():
                if name not in self._bars:
                    form = "  {desc:<14} {bar:20} cell {n} of {total}  {elapsed}"
                    self._bars[name] = tqdm(desc=name, bar_format=form, leave=False, file=self.out)
                self._bars[name].total, self._bars[name].n = cells, max(cell - 1, 0)
                self._bars[name].refresh()

    def mark(self, sign: str) -> str:
        """✓ in green, ✗ in red."""
        colour = {"✓": "green", "✗": "red", "·": "bright_black"}.get(sign)
        return click.style(sign, fg=colour) if self.colour and colour else sign


def planned(plan: Sequence[Planned]) -> list[str]:
    """One line a step: its reasons, or that it is up to date."""
    return [f"  {step.name}: {'; '.join(step.reasons) or 'up to date'}" for step in plan]


def failure(failed: FailedStep, path: str, advice: str) -> str:
    """About ten lines: notebook, cell, its source, the error, what to open, what comes next."""
    where = f"in cell [{failed.cell}] of {failed.cells}" if failed.cell else "before its first cell"
    lines = [f"✗ notebooks/{failed.step}.ipynb failed after {failed.seconds:.1f} s, {where}", ""]
    lines += [f"    {line}" for line in excerpt(failed.source, failed.line)] if failed.cell else []
    lines += ["", *(f"  {line}" for line in failed.error.strip().splitlines()[:4]), ""]
    return "\n".join([*lines, f"  open {path}", f"  {advice}"])


def excerpt(source: str, line: int | None, size: int = 4) -> list[str]:
    """At most `size` lines of a cell, around the one that failed (`>`) where that is known."""
    lines = source.rstrip().splitlines()
    first = max(0, min((line or 1) - size + 1, len(lines) - size))
    shown = [
        f"{'>' if line == number else ' '} {text}"
        for number, text in enumerate(lines[first : first + size], first + 1)
    ]
    return [*shown, "  ..."] if first + size < len(lines) else shown


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side; the second is of numbers."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) if rows else 0)]
    lines = []
    for row in rows:
        first, second, *others = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(["", first, row[1].rjust(len(second)), *others]).rstrip())
    return lines


def seconds(value: float) -> str:
    """`3.2 s`, `2 min 05 s`."""
    return f"{value:.1f} s" if value < 100 else f"{int(value // 60)} min {int(value % 60):02d} s"
