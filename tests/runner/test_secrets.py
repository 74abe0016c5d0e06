"""Secrets go through a run that ends and one that fails, with real trackers: none of them is kept."""

import gzip
import io
import os
import re
import shutil
import zipfile

import pytest
import tiny as tiny_project
from tiny import ROOT

from lib import files

#: By where they come in. None is the beginning of another.
SECRETS = {
    name: f"5ecre7-{number:02d}-{name}"
    for number, name in enumerate(
        (
            *("parameter", "nested", "listed", "inhttps", "inquery", "fromfile", "short-of-mapping"),
            *("wandbkey", "mlflowpassword", "awskey", "sometoken", "dbpassword", "proxypassword"),
            *("printed", "shown", "tracked", "tagged", "tabled", "written", "raised"),
        )
    )
} | {"six-letters": "Xylqaz", "small-letters": "correcthorse", "digits": "73915526"}
S = SECRETS
PARAMETERS = f"""\
options:
  api_key: {S["nested"]}
  keys: [{S["listed"]}]
  file: https://me:{S["inhttps"]}@127.0.0.1:9/rows.csv?token={S["inquery"]}
  max_tokens: 77
  password: {S["six-letters"]}
  token: {S["small-letters"]}
db_password: {S["fromfile"]}
credentials: {{user: {S["short-of-mapping"]}}}
"""
ENVIRONMENT = {
    "WANDB_API_KEY": S["wandbkey"],
    "MLFLOW_TRACKING_PASSWORD": S["mlflowpassword"],
    "AWS_SECRET_ACCESS_KEY": S["awskey"],
    "SOME_TOKEN": S["sometoken"],
    "DATABASE_URL": f"postgresql://me:{S['dbpassword']}@127.0.0.1:9/db",
    "HTTPS_PROXY": f"http://me:{S['proxypassword']}@127.0.0.1:9",
    "PRINTED_KEY": S["printed"],
    "SHOWN_KEY": S["shown"],
    "TRACKED_KEY": S["tracked"],
    "TAGGED_KEY": S["tagged"],
    "TABLED_KEY": S["tabled"],
    "WRITTEN_KEY": S["written"],
    "RAISED_KEY": S["raised"],
    "PIN_PASSWORD": S["digits"],
    "OTHER_PASSWORD": "41236789",
}
DECLARED = (
    'run: str = "scratch"\nproblem: str = "tiny"\napi_key: str = ""\ndb_password: str = ""\n'
    "options: dict = {}\ncredentials: dict = {}"
)
NOTEBOOKS = {
    "01_ingest": (
        DECLARED,
        "import os\nimport pandas as pd\nfrom lib.step import Step\n"
        'step = Step("01_ingest", run, problem, writes=["raw", "about"])\nstep.open()',
        "print(dict(os.environ), os.environ['PRINTED_KEY'], options['password'], options['token'])",
        "pd.DataFrame([step.parameters, {'api_key': os.environ['SHOWN_KEY']}])",
        'step.tracked.text("report", f"{os.environ[\'TRACKED_KEY\']} {step.parameters}")',
        "step.tracked.tags({'from': os.environ['TAGGED_KEY'], 'file': options['file']})",
        'step.tracked.table("sources", pd.DataFrame({"key": ["C#", os.environ["TABLED_KEY"]]}))',
        "step.tracked.trial(1, 'lasso', {}, {}, 0.1, status='failed', reason=f'no {options}')",
        'step.uses("address", options["file"], "d1")',
        'step.write("about", {"at": options["file"], "with": os.environ["WRITTEN_KEY"], "key": "C#",'
        ' "short": f"{options[\'password\']} {options[\'token\']}", "share": 0.441236789})',
        'step.write("raw", pd.DataFrame({"key": ["C#", "F"], "token": [1, 2]}))',
        "step.close()",
    ),
    "02_eda": (
        DECLARED,
        "import os\nfrom lib.step import Step\n"
        'step = Step("02_eda", run, problem, reads=["raw"], writes=["profile"])\nstep.open()',
        'step.read("raw")',
        "raise ConnectionError(f\"{options['file']} refused {os.environ['RAISED_KEY']} of {options}\")",
        "step.close()",
    ),
}
P = f"api_key={S['parameter']}"


@pytest.fixture
def project(tmp_path):
    """A tiny project with the real `lib`: its steps are tracked by MLflow and, offline, by W&B."""
    made = tiny_project.Tiny(tmp_path / "project", fresh=False)
    shutil.copytree(
        ROOT / "lib", made.root / "lib", ignore=shutil.ignore_patterns("__pycache__", "datasets", "scaffold")
    )
    kernels = made.root / "lib" / "runner" / "kernels.py"
    few = 'LIBRARIES = ("ipykernel.kernelapp", "ipykernel.ipkernel", "pandas")'
    kernels.write_text(re.sub(r"LIBRARIES = \(.*?\n\)", few, kernels.read_text(), flags=re.DOTALL))
    for name, cells in NOTEBOOKS.items():
        made.notebook(name, *cells)
    (made.root / "params").mkdir()
    made.yaml(PARAMETERS)
    yield made
    shutil.rmtree(made.sockets, ignore_errors=True)


def go(project, *words, **environment):
    """Run a command with the secrets around it; what it says is kept beside the outputs."""
    done = project.run(*words, **{"P": P, "WANDB_MODE": "offline"} | ENVIRONMENT | environment)
    said = done.stdout + done.stderr
    with (project.root / "outputs" / "said.txt").open("a") as file:
        file.write(said)
    return done.returncode, said


def kept(content, name):
    """What a file holds, unpacked where it is packed."""
    yield name, content
    if content[:2] == b"\x1f\x8b":
        yield from kept(gzip.decompress(content), f"{name} unpacked")
    elif content[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.namelist():
                yield from kept(archive.read(part), f"{name}/{part}")


def found(folder):
    """Which secrets stand where below a folder, its databases and logs among it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    parts = [part for path in files for part in kept(path.read_bytes(), path.relative_to(folder).as_posix())]
    return {
        f"{secret} in {name}"
        for name, content in parts
        for secret in S.values()
        if secret.encode() in content
    }


def test_none_of_the_secrets_is_kept_and_a_step_notices_another_value_of_one(project):
    assert len(S) == 23
    project.outputs.mkdir()
    code, said = go(project, "pipeline", "ingest")
    assert code == 0, said
    _, said = go(project, "pipeline", "ingest")
    assert "All 1 steps of run quickstart are up to date" in said
    code, said = go(project, "plan", "ingest", P="api_key=5ecre7-other")
    assert re.search(r"01_ingest: parameter api_key \(hidden \w{4}\) -> \(hidden \w{4}\)\n", said), said
    assert "5ecre7" not in said
    code, said = go(project)
    assert code == 1, said
    assert "02_eda.ipynb failed" in said
    assert "ConnectionError: https://(hidden" in said
    go(project, "status")

    left = {path.name for path in project.outputs.rglob("*") if path.is_file()}
    assert {"mlflow.db", "run.json", "pipeline.log", "02_eda.failed.ipynb", "01_ingest.html"} <= left
    assert {"report.txt", "sources.json", "about.json", "index.html"} <= left
    assert any(name.endswith(".wandb") for name in left)
    assert found(project.outputs) == set()
    assert files.read_json(project.folder() / "about.json")["share"] == 0.441236789
    assert "C#" in (project.folder() / "notebooks" / "01_ingest.html").read_text()
    assert '"max_tokens": 77' in (project.folder() / "run.json").read_text()


def test_the_password_of_a_server_that_does_not_answer_is_not_kept_either(project):
    project.outputs.mkdir()
    at = f"http://u:{S['dbpassword']}@127.0.0.1:9"
    environment = {"MLFLOW_TRACKING_URI": at, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "DATABASE_URL": ""}
    code, said = go(project, "pipeline", "ingest", **environment)
    assert code == 1
    assert re.search(r"MLflow does not answer at http://\(hidden \w{4}\)@127.0.0.1:9", said), said
    assert found(project.outputs) == set()


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        *(
            ("plan", typed)
            for typed in (
                *("api_key=s3c rows=[1", "api_key='s3c rows=1", "api_key=[s3c, b rows=1", "api_key= 's3c x"),
                *("options={api_key: s3c, x: 1", 'options={"api_key": "s3c"', "credentials={user: s3c"),
                *("api_key:s3c", "api-key=s3c", "my api_key = s3c", "api_key= s3c", "API_KEY==s3c rows=(1"),
                *("api_key=!s3c!x", "api_key=*s3c", "api_key={s3c: 1}", "api_key=[s3c]", "api_key=s3c: [1"),
                *("api_key=s3c api_key.x=1", "db_password.x=1", "credentials.user.x=1"),
                f"options.file=https://me:{'s3c' * 50}@h/x rows=[1",
            )
        ),
        *(
            ("sweep", typed)
            for typed in (
                *("api_key=s3c,,x", "api_key=range(s3c,2)", "api_key=range(s3c", "api_key:s3c"),
                *("api_key= s3c", "api_key=s3c,x api_key=s3c", "api_key=s3c"),
            )
        ),
    ],
)
def test_a_secret_that_is_refused_before_anything_was_read_of_it_is_not_shown(project, command, typed):
    """Three letters, which would be looked for nowhere: it is hidden by where it stands."""
    project.yaml(f"{PARAMETERS}run: ''\n".replace(S["fromfile"], "s3c").replace(S["short-of-mapping"], "s3c"))
    done = project.run(command, P=typed)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("✗ ")
    assert "s3c" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_secret_that_does_not_fit_is_not_shown(project):
    done = project.run("plan", P="api_key=4711")
    assert done.stderr == "✗ P: api_key must be str.\n"


def test_what_was_planted_would_have_been_found(tmp_path):
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.gz", gzip.compress(S["printed"].encode()))
    (tmp_path / "bytes.db").write_bytes(os.urandom(100) + S["raised"].encode() + os.urandom(100))
    assert found(tmp_path) == {
        f"{S['printed']} in packed.zip/inner.gz unpacked",
        f"{S['raised']} in bytes.db",
    }
