"""The graph of steps as an inline SVG: status, seconds and peak memory of each. Standard library only."""

import html
from collections.abc import Mapping
from typing import Any

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y = 150, 62, 46, 22
_COLOURS = {
    "done": ("#eef8f2", "#18794e"),
    "failed": ("#fef3f2", "#b42318"),
    "running": ("#f3f8fd", "#0b57a4"),
    "not run": ("#f6f8fa", "#98a2ad"),
}


def graph(steps: Mapping[str, Mapping[str, Any]], states: Mapping[str, Mapping[str, Any]]) -> str:
    """`steps` says what each reads and writes; `states` how each went. A column is a rank in the graph."""
    writers = {thing: name for name, step in steps.items() for thing in step["writes"]}
    needs = {name: {writers[thing] for thing in step["reads"]} for name, step in steps.items()}
    ranks: dict[str, int] = {}
    for name in steps:
        ranks[name] = 1 + max((ranks.get(need, -1) for need in needs[name]), default=-1)
    places = _places(ranks)
    height = max((y for _, y in places.values()), default=0) + _HEIGHT + 12
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + 12
    lines = [_line(places[need], places[name]) for name in steps for need in _direct(name, needs)]
    boxes = [_box(name, *places[name], states.get(name, {})) for name in steps]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" '
        f'font-family="system-ui, sans-serif">{"".join(lines)}{"".join(boxes)}</svg>'
    )


def _direct(name: str, needs: Mapping[str, set[str]]) -> list[str]:
    """The needs of a step that no other of its needs implies: the lines worth drawing."""

    def above(step: str) -> set[str]:
        return set().union(*({need} | above(need) for need in needs[step]))

    implied = set().union(*(above(need) for need in needs[name]))
    return sorted(needs[name] - implied)


def _places(ranks: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    columns: dict[int, list[str]] = {}
    for name, rank in ranks.items():
        columns.setdefault(rank, []).append(name)
    tallest = max((len(names) for names in columns.values()), default=1)
    return {
        name: (
            6 + rank * (_WIDTH + _GAP_X),
            6 + int((row + (tallest - len(names)) / 2) * (_HEIGHT + _GAP_Y)),
        )
        for rank, names in columns.items()
        for row, name in enumerate(names)
    }


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x2, y2 = end[0], end[1] + _HEIGHT / 2
    bend = (x2 - x1) / 2
    return (
        f'<path d="M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2 - 6},{y2}" fill="none" stroke="#98a2ad" '
        f'stroke-width="1.5"/><path d="M{x2 - 7},{y2 - 4} L{x2},{y2} L{x2 - 7},{y2 + 4}z" fill="#98a2ad"/>'
    )


def _box(name: str, x: int, y: int, state: Mapping[str, Any]) -> str:
    status = state.get("status", "not run")
    fill, edge = _COLOURS[status]
    figures = [f"{state['seconds']:.1f} s"] if state.get("seconds") is not None else []
    figures += [f"{state['peak_memory_mb']:,.0f} MB"] if state.get("peak_memory_mb") else []
    said = html.escape(" · ".join([*figures] or [status]))
    box = (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="{fill}" stroke="{edge}"/>'
        f'<text x="{x + 12}" y="{y + 25}" font-size="15" font-weight="600" fill="#1b1f24">'
        f"{html.escape(name)}</text>"
        f'<text x="{x + 12}" y="{y + 46}" font-size="12.5" fill="{edge}">{said}</text>'
    )
    page = {"done": f"notebooks/{name}.html", "failed": f"notebooks/{name}.failed.html"}.get(status)
    return f'<a href="{page}">{box}</a>' if page else box
