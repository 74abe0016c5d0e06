"""A figure and what it says, shown in a notebook and kept with the step's tracked run."""

from typing import Any


def figure(step: Any, name: str, drawn: Any, words: str = "") -> None:
    """Display `drawn` (if there was anything to draw) and below it `words`; log it under `name`."""
    import matplotlib.pyplot as plt
    from IPython.display import Markdown, display

    if drawn is None:
        display(Markdown(words))
        return
    display(step.tracked.figure(name.replace(" ", "_"), drawn) if step.tracked else drawn)
    if words:
        display(Markdown(words))
    plt.close(drawn)


def words(text: str) -> Any:
    """A sentence computed from the run, as the value of a cell."""
    from IPython.display import Markdown

    return Markdown(text)
