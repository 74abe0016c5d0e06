"""The graph of steps as an inline SVG: status, seconds and peak memory of each."""

from collections.abc import Mapping

from lib.runner.report import pages
from lib.runner.status import Standing

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y = 150, 62, 46, 22
_COLOURS = {
    "done": ("#eef8f2", "#18794e"),
    "failed": ("#fef3f2", "#b42318"),
    "running": ("#f3f8fd", "#0b57a4"),
    "out of date": ("#fff8e6", "#946800"),
    "not run": ("#f6f8fa", "#98a2ad"),
}


def draw(steps: Mapping[str, Mapping[str, list[str]]], standing: Mapping[str, Standing]) -> str:
    """`steps` says what each reads and writes, in order; a column is a rank in the graph."""
    writers = {thing: name for name, step in steps.items() for thing in step["writes"]}
    needs = {name: {writers[thing] for thing in step["reads"]} for name, step in steps.items()}
    ranks: dict[str, int] = {}
    for name in steps:
        ranks[name] = 1 + max((ranks.get(need, -1) for need in needs[name]), default=-1)
    places = _places(ranks)
    middle = _HEIGHT / 2
    return pages.render(
        "graph.svg.j2",
        width=max((x for x, _ in places.values()), default=0) + _WIDTH + 12,
        height=max((y for _, y in places.values()), default=0) + _HEIGHT + 12,
        lines=[
            (places[need][0] + _WIDTH, places[need][1] + middle, places[name][0], places[name][1] + middle)
            for name in steps
            for need in _direct(name, needs)
        ],
        boxes=[_box(name, *places[name], standing.get(name, Standing("not run"))) for name in steps],
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


def _box(name: str, x: int, y: int, standing: Standing) -> dict[str, object]:
    fill, edge = _COLOURS[standing.status]
    figures, record = [], standing.record
    if record:
        figures.append(f"{record.seconds:.1f} s")
        figures += [f"{record.peak_memory_mb:,.0f} MB"] if record.peak_memory_mb else []
    failed = f"notebooks/{name}.failed.html" if standing.failure else None
    page = f"notebooks/{name}.html" if record else failed
    words = " · ".join([standing.status] if standing.reason else figures) or standing.status
    return {"x": x, "y": y, "fill": fill, "edge": edge, "step": name, "words": words, "page": page}
