"""What a sweep leaves: a page with the table and the chart, and the same in MLflow."""

import contextlib
import html
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib.pipeline import grid, nursery, page, session, summary
from lib.pipeline import project as files


@contextlib.contextmanager
def tracked(base: session.Session, points: list[grid.Point]) -> Iterator[Any]:
    """Open the sweep's run; the runs of its steps name it as their parent."""
    os.environ.update(nursery.environment(base.project))
    from lib import tracking

    problem = next(
        (n for n in (base.given(b.name).get("problem") for b in base.graph.notebooks) if n), base.run
    )
    varying = {key: ", ".join(dict.fromkeys(p.values[key] for p in points)) for key in points[0].values}
    found = tracking.open(
        step="sweep",
        run=f"{base.run}-sweep",
        problem=problem,
        parameters=varying,
        tags={},
        outputs=base.project.outputs,
    )
    status = "FAILED"
    try:
        os.environ["WORKBOOK_PARENT_RUN_ID"] = found.run_id
        yield found
        status = "FINISHED"
    finally:
        found.close(status)


def write(folder: Path, table: list[dict[str, Any]], run: Any) -> Path:
    """The page of the sweep; gives its path. The table and the chart go to the trackers, too."""
    import pandas as pd

    figure = draw(table)
    frame = pd.DataFrame(table)
    run.table("sweep", frame)
    run.figure("sweep", figure)
    picture = io.StringIO()
    figure.savefig(picture, format="svg", bbox_inches="tight")
    files.write_json(folder / "sweep.json", {"runs": table})
    svg = picture.getvalue()
    body = (
        f"<h1>Sweep {html.escape(folder.name)}</h1><figure>{svg[svg.index('<svg') :]}</figure>{_rows(table)}"
    )
    path = folder / "index.html"
    files.write_text(path, page.document(f"Sweep {folder.name}", body, [("Sweep", "")]))
    return path


def _rows(table: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table[0])
    lines = ""
    for row in table:
        cells = [html.escape(summary.figure(value)) for value in row.values()]
        cells[-1] = f"<a href='../../{cells[-1]}/index.html'>{cells[-1]}</a>"
        lines += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    return f"<table class='left'><thead><tr>{head}</tr></thead>{lines}</table>"


def draw(table: list[dict[str, Any]]) -> Any:
    """One bar a run, best first: the validation figure, and the test figure as a mark on it."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    from lib.plots import style

    names = [name for name in table[0] if name.startswith(("validation_", "test_"))]
    varying = [name for name in table[0] if name not in (*names, "seconds", "run")]
    done = [row for row in table if row[names[0]] is not None]
    labels = ["  ".join(f"{name}={row[name]}" for name in varying) for row in done]
    with style.look():
        figure, axes = plt.subplots(figsize=(8, 0.8 + 0.42 * max(len(done), 1)))
        places = range(len(done))
        axes.barh(places, [row[names[0]] for row in done], color=style.BLUE, height=0.6, label=names[0])
        tests = [row[names[-1]] for row in done]
        axes.plot(tests, list(places), "D", color=style.ORANGE, label=names[-1])
        axes.set_yticks(list(places), labels)
        axes.invert_yaxis()
        axes.set_xlabel(names[0].partition("_")[2])
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    plt.close(figure)
    return figure
