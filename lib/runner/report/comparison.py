"""What a sweep leaves: a page with the table and the chart, and the same in MLflow."""

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lib import files, tracking
from lib.plots import comparison
from lib.runner import recovery, status
from lib.runner.plan import Request
from lib.runner.report import pages
from lib.runner.staleness import SWEEP_NOTE


@contextlib.contextmanager
def tracked(
    base: Request, folder: Path, varying: Mapping[str, str], environment: dict[str, str]
) -> Iterator[tracking.Tracked]:
    """Open the sweep's run; those of its steps, in kernels of this `environment`, name it as their parent.

    A note of it lies in `folder`, for whoever finds the sweep dead; what a dead one left is closed first.
    """
    os.environ.update(environment)
    name, outputs, note, ended = f"{base.run}-sweep", base.project.outputs, folder / SWEEP_NOTE, "FAILED"
    recovery.close_tracked([note], print)
    run = tracking.open(
        step="sweep", run=name, problem=base.problem, parameters=varying, tags={}, outputs=outputs, note=note
    )
    try:
        environment["WORKBOOK_PARENT_RUN_ID"] = run.run_id
        yield run
        ended = "FINISHED"
    finally:
        run.close(ended)
        note.unlink(missing_ok=True)


def write(folder: Path, table: list[dict[str, Any]], minded: list[str], run: tracking.Tracked) -> Path:
    """The page of the sweep; gives its path. The table and the chart go to the trackers, too."""
    import matplotlib as mpl
    import pandas as pd

    mpl.use("agg")

    figure = comparison.runs(table)
    run.table("sweep", pd.DataFrame(table))
    run.figure("sweep", figure)
    picture = io.StringIO()
    figure.savefig(picture, format="svg", bbox_inches="tight")
    svg = picture.getvalue()
    files.write_json(folder / "sweep.json", {"runs": table, "minded": minded})
    page = pages.render(
        "sweep.html.j2",
        title=f"Sweep {folder.name}",
        links=[("Sweep", "")],
        name=folder.name
        + (" — generated data" if status.generated(folder.parents[1] / table[0]["run"]) else ""),
        chart=Markup(svg[svg.index("<svg") :]),  # noqa: S704 - matplotlib escapes its texts
        minded=minded,
        head=list(table[0]),
        rows=[[status.figure(value) for value in row.values()] for row in table],
    )
    path = folder / "index.html"
    files.write_text(path, page)
    return path
