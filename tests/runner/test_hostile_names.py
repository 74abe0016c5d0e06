"""Names that would be markup, code or formulas, from the file to the pages of its run: they stay data."""

import json
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from tiny import ROOT, Tiny

SCRIPT, LINK, IMAGE = "<script>alert(1)</script>", "[x](javascript:alert(1))", "<img src=x onerror=alert(1)>"
CODE = 'y"""""";import pathlib; pathlib.Path(\'ran\').touch(); """"""'
FILE = "<i>it's ${1} `x` [a](javascript:b).csv"
CLASSES = ["$_a_$", "$50%_$", f"{IMAGE} **b** | `c`"]


def table(rows: int = 240) -> pd.DataFrame:
    """A file whose every name is hostile; its numbers and its bands both go with the target."""
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, rows)).round(3)
    bands = np.array([*CLASSES[:2], SCRIPT])[(x > 0).astype(int) + (x > 0.8)]
    return pd.DataFrame(
        {
            "cost_$_per_$ {unit} %s {0}": z,  # first, as a file that begins with < is taken for a web page
            SCRIPT: x,
            f"{LINK}\n\n# a/b\\c 'it' ```": bands,
            CODE: (2 * x + z + random.normal(size=rows)).round(2),
            "<b>class</b> $x^$": np.array(CLASSES)[(x > -0.4).astype(int) + (x + z > 0.6)],
            "n" * 300: random.normal(size=rows).round(3),
        }
    )


class Markup(HTMLParser):
    """The tags of a page that names might have made, and its pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.odd: list[str] = []
        self.pictures = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        drawn = tag == "img" and (about.get("src") or "").startswith("data:image/png;base64,")
        self.pictures += drawn
        scripted = any(str(value).startswith("javascript:") for value in about.values())
        if tag in ("script", "i") or (tag == "img" and not drawn) or scripted:
            self.odd.append(self.get_starttag_text() or tag)
        if any(name.startswith("on") for name in about):
            self.odd.append(self.get_starttag_text() or tag)


@pytest.fixture
def project(tmp_path):
    """A copy of the project with the file of hostile names beside it."""
    for name in ("lib", "notebooks", "params"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    table().to_csv(tmp_path / FILE, index=False)
    project = Tiny(tmp_path, fresh=False)
    yield project
    shutil.rmtree(project.sockets, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.parametrize("target", [CODE, "<b>class</b> $x^$"], ids=["number", "classes"])
def test_hostile_names_run_through_all_pages_and_stay_text(project, target):
    small = "models=[linear_regression,random_forest] max_evals=2 timeout_s=60 draws=20 explained=20"
    if target != CODE:
        small = small.replace("linear", "logistic")
    named = {"GIVEN_NAME": "mine", "GIVEN_DATA": str(project.root / FILE), "GIVEN_TARGET": target}
    written = project.run("new-problem", **named)
    assert written.returncode == 0, written.stderr
    wanted = {"PARAMS": "params/mine.yaml", "RUN": "mine", "P": small, "WANDB_MODE": "disabled"}
    command, environment = project.command("pipeline", **wanted)
    around = {"cwd": project.root, "env": environment, "capture_output": True, "text": True}
    run = subprocess.run(command, timeout=900, **around)  # six real pages, perhaps on a busy machine
    assert run.returncode == 0, run.stdout + run.stderr
    assert not list(project.root.rglob("ran"))
    folder = project.folder("mine")
    least = dict(zip(("index", "01", "02", "03", "04", "05", "06"), (5, 1, 5, 0, 3, 6, 2), strict=True))
    for path in (folder / "index.html", *sorted(folder.glob("notebooks/*.html"))):
        page = Markup(path.read_text())
        assert not page.odd, path.name
        assert page.pictures >= least[path.stem.partition("_")[0]], path.name
    for path in folder.glob("notebooks/*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            for output in cell.get("outputs", []):
                html = "".join(output.get("data", {}).get("text/html", []))
                assert not Markup(html).odd, path.name
