"""What must be minded is said beside every figure: a target that is given away, and time upside down."""

import re

import numpy as np
import pandas as pd
import pytest
from test_capstone_run import Learner
from test_page_text import read, shown

pytestmark = pytest.mark.slow  # a pipeline of a problem that is made for it

#: Casual and registered riders add up to all of them, and rows of all days train and judge.
ORDER, LEAK = "out of order in time", "casual and registered determine cnt"
P = "any_order=true models=[linear_regression,xgboost] max_evals=2 draws=99 explained=100"


@pytest.fixture(scope="module")
def learner(tmp_path_factory) -> Learner:
    """Whose hires of bicycles have days, by which the split that was written does not go."""
    learner, rng = Learner(tmp_path_factory.mktemp("warnings") / "project"), np.random.default_rng(0)
    hires = pd.DataFrame({"day": pd.date_range("2023-01-01", periods=600), "warmth": rng.normal(12, 8, 600)})
    hires = hires.assign(casual=rng.poisson(40, 600), registered=rng.poisson(200, 600))
    hires.assign(cnt=hires["casual"] + hires["registered"]).to_csv(learner.folder / "hires.csv", index=False)
    learner.runs("new-problem", GIVEN_NAME="hires", GIVEN_DATA="hires.csv", GIVEN_TARGET="cnt")
    training = learner.folder / "lib/datasets/hires/training.py"
    training.write_text(
        training.read_text().replace("DATASET = Dataset(", 'DATASET = Dataset(\n    when="day",')
    )
    return learner


def test_later_rows_judge_no_earlier_ones_unless_that_is_admitted(learner):
    done = learner.command("-m", "lib.cli", "pipeline", "prep", PARAMS="params/hires.yaml")
    assert done.returncode == 1
    assert "A model that has seen the future must not judge the past" in done.stdout + done.stderr


def test_what_was_admitted_and_what_gives_the_target_away_stand_beside_every_figure(learner):
    done = learner.command("-m", "lib.cli", "pipeline", PARAMS="params/hires.yaml", P=P)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    minded = [line for line in done.stdout.splitlines() if line.startswith("  Mind: ")]
    assert [sum(said in line for line in minded) for said in (ORDER, LEAK)] == [1, 1]
    outputs = learner.folder / "outputs"
    listed = re.findall(r"<b>Mind:</b> (.*?)</li>", (outputs / "hires" / "index.html").read_text())
    assert [sum(said in one for one in listed) for said in (ORDER, LEAK)] == [1, 1]
    texts = {
        name[:2]: "\n".join(text for cell in page.cells for text in shown(cell))
        for name, page in read(outputs).items()
    }
    assert [name for name, text in texts.items() if ORDER in text] == ["03", "04", "05", "06"]
    assert [name for name, text in texts.items() if LEAK in text] == ["02", "03", "04", "05", "06"]
