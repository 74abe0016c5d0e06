"""What a run says: the plan, live progress, a failure in ten lines, the closing table, the log.

Words and layout only; what is true is handed in. Standard library only.
"""

import datetime
import os
import shutil
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

_SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Terminal:
    """Lines to the terminal and to the run's log; below them, in a real terminal, one live line a step."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.live = self.out.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.live and "NO_COLOR" not in os.environ
        self.log: TextIO | None = None
        self._shown = 0
        self._beat = 0
        self._lock = threading.Lock()

    def open_log(self, path: Path) -> None:
        """From now on every line is also kept, with its time, in `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.log = path.open("a", encoding="utf-8")

    def say(self, text: str = "") -> None:
        """One or more lines that stay."""
        with self._lock:
            self._clear()
            self._write(text + "\n")
            if self.log:
                now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
                try:
                    self.log.writelines(f"{now}  {_plain(line)}\n" for line in text.splitlines())
                    self.log.flush()
                except OSError:  # a full disk must not hide what is said on the terminal
                    self.log = None

    def progress(self, steps: Iterable[tuple[str, int, int, float]]) -> None:
        """Redraw the live lines: step, cell k of n, seconds."""
        if not self.live:
            return
        with self._lock:
            self._clear()
            self._beat += 1
            width = shutil.get_terminal_size().columns - 1
            lines = [_bar(_SPIN[self._beat % len(_SPIN)], *step)[:width] for step in steps]
            self._shown = len(lines)
            self._write("".join(f"{line}\n" for line in lines))

    def _clear(self) -> None:
        if self._shown:
            self._write(f"\x1b[{self._shown}A\x1b[J")
            self._shown = 0

    def _write(self, text: str) -> None:
        try:
            self.out.write(text)
            self.out.flush()
        except (BrokenPipeError, OSError):  # whoever read us is gone; the log goes on
            self.out = open(os.devnull, "w")  # noqa: SIM115, PTH123

    def mark(self, sign: str) -> str:
        """✓ in green, ✗ in red."""
        colour = {"✓": "32", "✗": "31", "·": "2"}.get(sign)
        return f"\x1b[{colour}m{sign}\x1b[0m" if self.colour and colour else sign


def _plain(line: str) -> str:
    for code in ("\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"):
        line = line.replace(code, "")
    return line


def _bar(spin: str, name: str, cell: int, cells: int, seconds: float) -> str:
    full = 20 * max(cell - 1, 0) // cells if cells else 0
    where = f"cell {cell} of {cells}" if cell else "starting"
    return f"  {spin} {name:<14} {'━' * full}{'─' * (20 - full)} {where:<14} {seconds:6.1f} s"


def planned(plan: Sequence[Any]) -> list[str]:
    """One line a step: its reasons, or that it is up to date."""
    lines = []
    for step in plan:
        if step.maybe:
            lines.append(f"  {step.name}: {step.reasons[0]}")
        elif step.reasons:
            lines.append(f"  {step.name}: {'; '.join(step.reasons)}")
        else:
            lines.append(f"  {step.name}: up to date")
    return lines


def failure(name: str, seconds: float, failed: Any, path: str, advice: str) -> str:
    """About ten lines: notebook, cell, its source, the error, what to open, what comes next."""
    where = f"in cell [{failed.cell}] of {failed.cells}" if failed.cell else "before its first cell"
    lines = [f"✗ notebooks/{name}.ipynb failed after {seconds:.1f} s, {where}", ""]
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
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if i == 1 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def seconds(value: float) -> str:
    """`3.2 s`, `2 min 05 s`."""
    return f"{value:.1f} s" if value < 100 else f"{int(value // 60)} min {int(value % 60):02d} s"
