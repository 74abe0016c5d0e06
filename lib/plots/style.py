"""The look that all figures share, as a context: importing this changes nothing.

`with style.look(): ...` draws in it; `@style.figure` does so for a whole function and closes what it drew, so
that a notebook shows a figure once, where the cell returns it.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

Arguments = ParamSpec("Arguments")

BLUE, ORANGE, GREEN, RED, GREY = "#2f6690", "#e07a2f", "#4a8f5c", "#b23a48", "#9aa5b1"
INK, FAINT = "#26323d", "#dfe5ea"
COLOURS = [BLUE, ORANGE, GREEN, RED, "#7a5c99", "#7f8c3b", "#c08497", GREY]
SEQUENTIAL, DIVERGING = "YlGnBu", "RdBu_r"

_SETTINGS: Mapping["RcKeyType", object] = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # names and categories of the data may have dollars in them
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,  # numbers as they are, not as 1e-10 + 5.3
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "image.cmap": SEQUENTIAL,
}


@contextlib.contextmanager
def look() -> Iterator[None]:
    """Draw in the shared look; matplotlib's settings are as before when the block ends."""
    import matplotlib
    from cycler import cycler

    with matplotlib.rc_context({**_SETTINGS, "axes.prop_cycle": cycler(color=COLOURS)}):
        yield


def figure(draw: Callable[Arguments, "Figure"]) -> Callable[Arguments, "Figure"]:
    """A function that draws in the shared look and leaves no figure open behind it."""

    @functools.wraps(draw)
    def styled(*args: Arguments.args, **kwargs: Arguments.kwargs) -> "Figure":
        import matplotlib.pyplot as plt

        with look():
            figure = draw(*args, **kwargs)
            _settle_labels(figure)
        plt.close(figure)
        return figure

    return styled


def _settle_labels(figure: "Figure") -> None:
    """Have the labels of ticks made now, in this look: names as they are, powers of ten as mathematics."""
    from matplotlib.ticker import LogFormatterMathtext

    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        powers = isinstance(axis.get_major_formatter(), LogFormatterMathtext)
        for label in axis.get_ticklabels(which="both"):
            label.set_parse_math(powers)


def with_unit(name: str, unit: str) -> str:
    """The label of an axis: `trip distance, miles`."""
    return f"{name}, {unit}" if unit else name


def short(name: object, longest: int = 20) -> str:
    """A name as a label has room for it; one that is cut ends with `…`."""
    text = str(name)
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def thousands(axis: "Axis") -> None:
    """Write the numbers of an axis as 12,000."""
    axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
