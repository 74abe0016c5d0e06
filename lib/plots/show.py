"""A figure and what it says, shown in a notebook and kept with the step's tracked run."""

from typing import Any


def figure(step: Any, name: str, drawn: Any, text: str = "") -> None:
    """Display `drawn` (if there was anything to draw) and below it `text`; log it under `name`."""
    import matplotlib.pyplot as plt
    from IPython.display import display

    if drawn is None:
        display(words(text))
        return
    display(step.tracked.figure(name.replace(" ", "_"), drawn) if step.tracked else drawn)
    if text:
        display(words(text))
    plt.close(drawn)


def words(text: str) -> Any:
    """Text computed from the run, as the value of a cell; its dollars are money, never mathematics."""
    from IPython.display import Markdown

    return Markdown(text.replace("$", r"\$"))
