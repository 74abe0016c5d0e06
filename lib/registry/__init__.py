"""The registry: which models there are, which of them is in use, and who may take its place.

`register` keeps a run's model as a version, `judge` compares it with the present champion, `decide` moves the
alias when that is right; `promote` and `rollback` are the user's own word. Versions and aliases are in
`lib.registry.store`, the comparison in `lib.registry.contest`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lib import files, inference
from lib.datasets.base import Dataset
from lib.registry import contest
from lib.registry.contest import Contest
from lib.registry.store import Store, Version, name_of
from lib.steps import Step, outputs

CHALLENGER = "challenger"


def register(step: Step, folder: Path, dataset: Dataset, provenance: Mapping[str, Any]) -> Version:
    """The model in `folder` as a version of its problem's name; the same model again is the same version."""
    digest, told = files.digest(folder), contest.about(folder)
    tags = {
        "workbook.digest": digest,
        "workbook.family": str(told["family"]),
        "workbook.feature_set": str(told["feature_set"]),
        "workbook.trained_on": f"{told['rows']:,} rows",
        "workbook.run": step.run,
        "workbook.generated": "yes" if step.generated else "no",
        "workbook.data": files.hash_of(provenance),
    }
    model_id = step.tracked.stored(folder, digest)
    store, name = Store(outputs()), name_of(step.problem, step.run, step.generated)
    with store.lock():
        return store.add(name, model_id, describe(dataset, told, provenance, digest), tags)


def card(folder: Path) -> pd.DataFrame:
    """What a model's folder says of itself, for a reader; its digest is what it is known by."""
    told = contest.about(folder)
    size = sum(part.stat().st_size for part in folder.rglob("*") if part.is_file())
    known = {
        "family": told["family"],
        "feature set": f"{told['feature_set']}, {told['columns']:,} columns",
        "fitted on": f"{told['rows']:,} rows",
        "raw columns in": ", ".join(told["inputs"]),
        "size": f"{size / 2**20:,.1f} MB",
        "digest": files.digest(folder),
    }
    return pd.DataFrame(known.items(), columns=["what", "this model"]).set_index("what")


def description(version: Version) -> str:
    """What the registry says of a version."""
    return Store(outputs()).client.get_model_version(version.name, str(version.number)).description


def describe(dataset: Dataset, told: Mapping[str, Any], provenance: Mapping[str, Any], digest: str) -> str:
    """What a version says of itself: the problem, the data it was fitted on, the model, how to know it."""
    names = [str(file["name"]) for file in provenance.get("files", [])]
    made = (
        "generated here, fit for trying out and nothing else" if provenance.get("generated") else "published"
    )
    options = ", ".join(f"{key}={value}" for key, value in provenance.get("options", {}).items())
    lines = [
        f"{dataset.title} Predicts `{dataset.target.name}`, {dataset.target.meaning}"
        + (f" ({dataset.target.unit})." if dataset.target.unit else "."),
        f"Fitted on {told['rows']:,} rows, train and validation together. The data were {made}"
        + (f": {', '.join(names)}." if names else "."),
        f"Options of the problem: {options}." if options else "",
        f"Family {told['family']}, feature set {told['feature_set']} ({told['columns']:,} columns); "
        f"raw columns in: {', '.join(told['inputs'])}.",
        f"Hash of the data {files.hash_of(provenance)}, digest of the model {digest[:16]}.",
    ]
    return "\n\n".join(line for line in lines if line)


@dataclass(frozen=True)
class Verdict:
    """What follows from the comparison: `outcome` is first, same, better, not better, or unfair."""

    version: Version
    champion: Version | None
    outcome: str
    reason: str
    contest: Contest

    @property
    def wins(self) -> bool:
        """Whether the alias may move to this version without asking anybody."""
        return self.outcome in ("first", "better")


def judge(version: Version, dataset: Dataset, rows: pd.DataFrame, alias: str = "champion") -> Verdict:
    """Compare a version with the present holder of `alias` on labelled `rows` that neither was fitted on."""
    store = Store(outputs())
    holder = store.get(version.name, alias)
    rival = store.before(version, alias) if holder == version else holder
    folder = store.folder(rival) if rival else None
    known_as = f"version {rival.number}" if rival else ""
    found = contest.compare(dataset, rows, store.folder(version), folder, known_as)
    outcome, reason = _verdict(version, holder, found, alias)
    return Verdict(version, holder, outcome, reason, found)


def _verdict(version: Version, holder: Version | None, found: Contest, alias: str) -> tuple[str, str]:
    """The outcome, and the sentence that gives the reason."""
    metric = found.dataset.metric
    if holder is None:
        return "first", f"No version held {alias!r}: {version} takes it."
    if holder.number == version.number:
        return "same", f"{version} is the {alias} already, the same model to the byte: nothing moves."
    if found.leaked > 0.01 * len(found.rows):
        return "unfair", (
            f"{version} was itself fitted on {found.leaked:,} of these {len(found.rows):,} test rows: its "
            f"score means nothing, and {alias!r} stays. The checks of `make prep` name such rows."
        )
    if found.seen:
        return "unfair", (
            f"{holder} was fitted on {found.seen:,} of these {len(found.rows):,} test rows and knows the "
            f"answers: a comparison would be unfair. {alias!r} stays; `make promote VERSION={version.number} "
            f"MODEL={version.name}` moves it, if you judge so."
        )
    gain = found.gain()
    line = (
        f"{metric} {abs(gain['gain']):.4g} {'better' if gain['gain'] > 0 else 'worse'} than {holder} "
        f"(95 % of resamples: {gain['low']:+.4g} to {gain['high']:+.4g})"
    )
    if gain["gain"] > 0:
        return "better", f"{version} takes {alias!r}: {line}."
    return "not better", f"{holder} stays {alias}: {version} has {line}."


def decide(verdict: Verdict, alias: str = "champion") -> dict[str, Any]:
    """Move the aliases as the verdict says; gives what `registry.json` holds."""
    store, version, metric = Store(outputs()), verdict.version, verdict.contest.dataset.metric
    scores, outcome, reason = verdict.contest.scores(), verdict.outcome, verdict.reason
    score = float(scores.loc["candidate", metric])
    with store.lock():
        now = store.get(version.name, alias)
        if verdict.wins and (now.number if now else None) == (
            verdict.champion.number if verdict.champion else None
        ):
            store.move(version, alias)
            store.drop(version.name, CHALLENGER)
        elif verdict.wins:
            outcome = "not compared"
            reason = f"{now} took {alias!r} during the comparison, and {version} was not compared with it."
            store.move(version, CHALLENGER)
        elif outcome in ("not better", "unfair"):
            store.move(version, CHALLENGER)
        store.tag(version, test_score=f"{metric} {score:.4f}")
        after = store.get(version.name, alias)
    return {
        "name": version.name,
        "version": version.number,
        "digest": version.digest,
        "outcome": outcome,
        "reason": reason,
        "alias": alias,
        "holder": after.number if after else None,
        "metric": metric,
        "test_rows": len(verdict.contest.rows),
        "score": score,
        "rival": verdict.contest.rival,
        "rival_score": float(scores.loc[verdict.contest.rival, metric]),
    }


def ask(name: str, alias: str, rows: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Labelled rows beside the predictions of the version that holds `alias`, and what was true."""
    target, found = dataset.target.name, predict(name, alias, rows.drop(columns=dataset.target.name))
    inputs = list(contest.about(Store(outputs()).find(name, alias))["inputs"])
    said = found.idxmax(axis=1).to_numpy() if isinstance(found, pd.DataFrame) else found.round(1)
    return rows[inputs].assign(**{"predicted": said, f"true {target}": rows[target]})


def predict(name: str, alias: str, rows: pd.DataFrame) -> Any:
    """Predictions of the version that holds `alias`, in a clean process with the code stored with it."""
    return inference.ask(Store(outputs()).find(name, alias), rows)[0]


def versions(name: str) -> pd.DataFrame:
    """The versions of a registered name, newest first, with their aliases."""
    return Store(outputs()).table(name)


def promote(name: str, version: str = CHALLENGER, alias: str = "champion") -> Version:
    """The user's own word: point `alias` to a version, given by its number or an alias."""
    store = Store(outputs())
    with store.lock():
        chosen = store.pick(name, version)
        store.move(chosen, alias)
        if alias != CHALLENGER and chosen.number == store.aliases(name).get(CHALLENGER):
            store.drop(name, CHALLENGER)
        return store.pick(name, alias)


def rollback(name: str, alias: str = "champion") -> Version:
    """Point `alias` to the version that held it before."""
    store = Store(outputs())
    with store.lock():
        return store.back(name, alias)
