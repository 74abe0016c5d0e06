"""The picture of a sweep: its runs side by side, best first."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lib.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The column of the table that says what a run is told too early.
LATE = "known only after"


@style.figure
def runs(table: Sequence[Mapping[str, Any]]) -> "Figure":
    """One bar a run, best first: the validation figure, and the test figure as a mark on it.

    The name of a run that is told what is known only after the prediction says so.
    """
    from matplotlib import pyplot as plt

    names = [name for name in table[0] if name.startswith(("validation_", "test_"))]
    varying = [name for name in table[0] if name not in (*names, LATE, "trials", "seconds", "run")]
    done = [row for row in table if row[names[0]] is not None]
    figure, axes = plt.subplots(figsize=(8, 0.8 + 0.42 * max(len(done), 1)))
    places = list(range(len(done)))
    axes.barh(places, [row[names[0]] for row in done], color=style.BLUE, height=0.6, label=names[0])
    axes.plot([row[names[-1]] for row in done], places, "D", color=style.ORANGE, label=names[-1])
    late = [f"\n{LATE}: {row[LATE]}" if row.get(LATE) else "" for row in done]
    labels = ["  ".join(f"{name}={row[name]}" for name in varying) for row in done]
    axes.set_yticks(places, [label + after for label, after in zip(labels, late, strict=True)])
    axes.invert_yaxis()
    axes.set_xlabel(names[0].partition("_")[2])
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure
