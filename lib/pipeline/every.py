"""`make all-problems`: the same notebooks on every problem there is, on generated data, one line a problem.

Each problem is an ordinary run named `<problem>-generated`, made small by the key `small` of its parameters
file; a P of the user's goes before that. Standard library and YAML only.
"""

import subprocess
import sys
import time
from collections.abc import Mapping

from lib.pipeline import params, session, summary, terminal
from lib.pipeline import project as files


def run(environment: Mapping[str, str]) -> int:
    """Run them one after the other; 0 if all went well."""
    project, failed = files.here(), []
    for problem, file in parameter_files(project).items():
        name, started = f"{problem}-generated", time.monotonic()
        mine = {**environment, "PARAMS": file, "RUN": name, "P": ""}
        small = session.ask(mine, [], project).parameters.runner("small")
        mine["P"] = f"{small} {environment.get('P', '')}"
        print(f"{problem}: {file}", flush=True)
        command = [sys.executable, "-m", "lib.pipeline", "run"]
        done = subprocess.run(command, cwd=project.root, env=mine, capture_output=True, text=True)
        print(f"  {terminal.seconds(time.monotonic() - started)}, {'failed' if done.returncode else 'done'}")
        if done.returncode:
            failed.append(problem)
            print(done.stdout[-3000:] + done.stderr[-2000:])
        else:
            print("\n".join(f"  {line.strip()}" for line in summary.headline(project.outputs / name)))
    return int(bool(failed))


def parameter_files(project: files.Project) -> dict[str, str]:
    """One parameters file a problem: the one that has its name, else the first that names it."""
    found: dict[str, str] = {}
    for path in sorted((project.root / "params").glob("*.yaml"), key=lambda path: path.name):
        shown = f"params/{path.name}"
        problem = params.load(path, shown).get("problem")
        if problem and (problem not in found or path.stem == problem):
            found[problem] = shown
    return found
