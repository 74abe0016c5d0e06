"""A figure as both trackers and the notebook get it: drawn once, marked if its data were generated."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure as it was drawn: a notebook shows it as an image."""

    name: str
    png: bytes = field(repr=False)

    def _repr_png_(self) -> bytes:
        return self.png


def draw(figure: "Figure", path: Path) -> Picture:
    """Draw `figure` into the PNG file `path`."""
    figure.savefig(path, format="png", dpi="figure", bbox_inches="tight")
    return Picture(path.stem, path.read_bytes())


def mark(figure: "Figure", text: str) -> None:
    """Write `text` below the figure's lower right corner, in grey and once."""
    if text not in [one.get_text() for one in figure.texts]:
        figure.text(1, -0.005, text, ha="right", va="top", fontsize=7, color="#9aa5b1")
