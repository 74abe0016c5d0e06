"""The look that all figures share, as a context: importing this changes nothing.

`with style.look(): ...` draws in it; `@style.figure` does so for a whole function and closes what it drew, so
that a notebook shows a figure once, where the cell returns it.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#2f6690", "#e07a2f", "#4a8f5c", "#b23a48", "#9aa5b1"
INK, FAINT = "#26323d", "#dfe5ea"
COLOURS = [BLUE, ORANGE, GREEN, RED, "#7a5c99", "#7f8c3b", "#c08497", GREY]
SEQUENTIAL, DIVERGING = "YlGnBu", "RdBu_r"

_SETTINGS = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
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


def figure(draw: Callable[..., "Figure"]) -> Callable[..., "Figure"]:
    """A function that draws, made to do so in the shared look and to leave no figure open behind it."""

    @functools.wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> "Figure":
        import matplotlib.pyplot as plt

        with look():
            made = draw(*args, **kwargs)
        plt.close(made)
        return made

    return drawn


def thousands(axis: Any) -> None:
    """Write the numbers of an axis as 12,000."""
    axis.set_major_formatter(
        lambda value, _: f"{value:,.0f}" if abs(value) >= 1 or value == 0 else f"{value:g}"
    )


def no_grid(axes: "Axes") -> None:
    """No lines behind a picture that is made of squares."""
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
