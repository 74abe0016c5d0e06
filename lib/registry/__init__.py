"""The registry: which models there are, which of them is in use, and who may take its place.

`register` keeps a run's model as a version, `judge` compares it with the present champion, `decide` moves the
alias when that is right; `promote` and `rollback` are the user's own word. Versions and aliases are in
`lib.registry.store`, the comparison in `lib.registry.contest`, what follows in `lib.registry.verdict`.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from lib import dependencies, files, packaging, redaction
from lib.errors import RegistryError, StepError, one_line
from lib.notebook_source import plain_yaml
from lib.notebook_source.limits import CHALLENGER
from lib.packaging import Prediction
from lib.paths import here, kept_uri, outputs, tracking_uri
from lib.problem import Dataset
from lib.records import Registration, Tuned
from lib.registry import contest, judged, verdict
from lib.registry.location import Version
from lib.registry.store import Decision, Store, name_of
from lib.registry.verdict import Verdict
from lib.runtime.schema import Settings
from lib.step import Step


def register(
    step: Step, folder: Path, dataset: Dataset, provenance: Settings, tuned: Tuned | None = None
) -> Version:
    """The model in `folder` as a version of its problem's name; the same model again is the same version."""
    if step.tracked is None:
        raise StepError("A model is registered by an open step: `step.open()` comes first.")
    digest, about = files.digest(folder), packaging.about(folder)
    tags = {
        "workbook.digest": digest,
        "workbook.family": str(about["family"]),
        "workbook.feature_set": str(about["feature_set"]),
        "workbook.trained_on": f"{about['rows']:,} rows",
        "workbook.run": step.run,
        "workbook.generated": "yes" if step.generated else "no",
        "workbook.data": files.digest_of(provenance),
    }
    model_id = step.tracked.stored(folder, digest)
    store, name = Store(outputs()), name_of(step.problem, step.run, step.generated)
    with store.lock():
        return store.add(name, model_id, describe(dataset, about, provenance, digest, tuned), tags)


def card(folder: Path) -> pd.DataFrame:
    """What a model's folder says of itself, for a reader; its digest is what it is known by."""
    about = packaging.about(folder)
    size = sum(part.stat().st_size for part in folder.rglob("*") if part.is_file())
    facts = {
        "family": about["family"],
        "feature set": f"{about['feature_set']}, {about['columns']:,} columns",
        "fitted on": f"{about['rows']:,} rows",
        "raw columns in": ", ".join(about["inputs"]),
        "size": f"{size / 2**20:,.1f} MB",
        "digest": files.digest(folder),
    }
    return pd.DataFrame(facts.items(), columns=["what", "this model"]).set_index("what")


def description(version: Version) -> str:
    """What the registry says of a version."""
    return Store(outputs()).client.get_model_version(version.name, str(version.number)).description or ""


def describe(
    dataset: Dataset, about: Settings, provenance: Settings, digest: str, tuned: Tuned | None = None
) -> str:
    """What a version says of itself: the problem, its data, the model and its search, how to know it."""
    names, target = [str(file["name"]) for file in provenance.get("files", [])], dataset.target
    means = ", ".join(filter(None, [f"`{target.name}`", target.meaning]))
    late = ", ".join(
        f"`{name}`" + (f" ({column.meaning})" if column.meaning else "")
        for name, column in dataset.columns.items()
        if name in about["inputs"] and column.known == "after"
    )
    generated = "generated here, fit for trying out and nothing else"
    origin = generated if provenance.get("generated") else "published"
    options = {key: value for key, value in provenance.get("options", {}).items() if value is not None}
    said = ", ".join(f"{key}={value}" for key, value in options.items())
    lines = [
        f"{dataset.title} Predicts {means}" + (f" ({target.unit})." if target.unit else "."),
        f"Fitted on {about['rows']:,} rows, train and validation together. The data were {origin}"
        + (f": {', '.join(names)}." if names else "."),
        f"Options of the problem: {said}." if said else "",
        f"Family {about['family']}, feature set {about['feature_set']} ({about['columns']:,} columns); "
        f"raw columns in: {', '.join(about['inputs'])}.",
        f"Chosen among {tuned.told}." if tuned else "",
        f"**Known only after the prediction is made: {late}.** All its figures are those of a model that "
        "is told it beforehand; a service needs a stand-in."
        if late
        else "",
        f"Hash of the data {files.digest_of(provenance)}, digest of the model {digest[:16]}.",
    ]
    return "\n\n".join(line for line in lines if line)


def judge(version: Version, dataset: Dataset, rows: pd.DataFrame, alias: str = "champion") -> Verdict:
    """Compare a version with the present holder of `alias` on labelled `rows` that neither was fitted on."""
    store = Store(outputs())
    holder = store.get(version.name, alias)
    trouble = store.trouble(holder) if holder else ""
    rival = store.before(version, alias) if trouble or holder == version else holder
    folder = store.folder(rival) if rival else None
    rival_name = f"version {rival.number}" if rival else ""
    comparison = contest.compare(dataset, rows, store.folder(version), folder, rival_name)
    champion, earlier = None if trouble else holder, store.decision(version, alias)
    if version.retired:
        outcome, reason = "retired", f"{version} is retired ({version.retired}): {alias!r} is not for it."
    elif earlier:
        outcome, reason = earlier.outcome, earlier.reason + verdict.since(version, champion, earlier, alias)
    else:
        outcome, reason = verdict.of(version, champion, comparison, alias)
    reason += f" The one before it may not answer, and holds no alias: {trouble}" if trouble else ""
    return Verdict(version, champion, outcome, reason, comparison, rival)


def decide(step: Step, made: Verdict, alias: str = "champion") -> Registration:
    """Move the aliases as the verdict says; gives the record of what was decided.

    A model is decided on once, and what was decided is noted before anything moves: a step that was cut off
    in between, or that runs again, carries out the same decision and tells the same.
    """
    store, version, metric = Store(outputs()), made.version, made.contest.dataset.metric
    scores, outcome, reason = made.contest.scores(), made.outcome, made.reason
    score, found = float(scores.loc["candidate", metric]), made.contest.interval
    with store.lock():
        store.release(version.name)
        present, decision = store.get(version.name, alias), store.decision(version, alias)
        if decision is None and made.wins and present not in (made.champion, version):
            outcome = "not compared"
            reason = (
                f"{present} took {alias!r} during the comparison, and {version} was not compared with it."
            )
            store.move(version, CHALLENGER)
        elif outcome != "retired" and (decision is None or not decision.done):
            before = made.champion.number if made.champion else None
            _carry_out(store, version, alias, decision or Decision(outcome, reason, before))
        if outcome in verdict.JUDGED:
            judged.note(store, version, made.contest.digest)
        count = len(judged.by(store, version.name, made.contest.digest))
        store.tag(version, test_score=f"{metric} {score:.4f}")
        after = store.get(version.name, alias)
    _note(step, version, alias)
    return Registration(
        name=version.name,
        version=version.number,
        digest=version.digest,
        outcome=outcome,
        reason=reason,
        alias=alias,
        holder=after.number if after else None,
        metric=metric,
        test_rows=len(made.contest.rows),
        score=score,
        rival=made.contest.rival,
        rival_score=float(scores.loc[made.contest.rival, metric]),
        gain=found.value,
        low=None if found.reason else found.low,
        high=None if found.reason else found.high,
        interval=found.reason or f"{found.drawn} drawn",
        judged=count,
    )


def _carry_out(store: Store, version: Version, alias: str, decision: Decision) -> None:
    """Move the aliases as it was decided; one that somebody else has moved since then stays where it is.

    Each part may have been done already by a step that was cut off.
    """
    store.keep(version, alias, decision)
    holder = store.get(version.name, alias)
    number = holder.number if holder else None
    if decision.outcome in verdict.WINS and number in (decision.before, version.number):
        store.move(version, alias)
        store.drop(version.name, CHALLENGER)
    elif decision.outcome in ("not better", "unfair") and holder != version:
        store.move(version, CHALLENGER)
    store.keep(version, alias, replace(decision, done=True))


def _note(step: Step, version: Version, alias: str) -> None:
    """Note where the record is, this version, and who holds the alias: others can change all three."""
    step.uses("tracking", kept_uri(tracking_uri(outputs()), outputs()), "")
    for model in (f"models:/{version.name}/{version.number}", f"models:/{version.name}@{alias}"):
        held, folder = dependencies.registered(model, outputs())
        step.uses("registry", model, held or "", folder)


def ask(name: str, alias: str, rows: pd.DataFrame, dataset: Dataset, most: int = 5) -> pd.DataFrame:
    """What was true of a few labelled rows and what the holder of `alias` predicts of them, beside the rows.

    No two of them are alike in what the model sees. Where nobody holds the alias, one row says so.
    """
    if not any(alias in version.aliases for version in Store(outputs()).versions(name)):
        return pd.DataFrame({"nobody can be asked": [f"No version of {name} holds the alias {alias!r}."]})
    target, inputs = dataset.target.name, list(packaging.about(Store(outputs()).find(name, alias))["inputs"])
    rows = rows.drop_duplicates(inputs).head(most)
    prediction = predict(name, alias, rows.drop(columns=target))
    if isinstance(prediction, pd.DataFrame):
        predicted = prediction.idxmax(axis=1).to_numpy()
    else:
        predicted = prediction.round(1)
    answers = pd.DataFrame({f"true {target}": rows[target], "predicted": predicted}, index=rows.index)
    return pd.concat([answers, rows[inputs]], axis=1)


def predict(name: str, alias: str, rows: pd.DataFrame) -> Prediction:
    """Predictions of the version that holds `alias`, by the code stored with it."""
    return packaging.load(Store(outputs()).find(name, alias)).predict(rows)


def named(model: str = "", params: str = "") -> str:
    """The registered name meant: `model`, or that of the problem in the file `params`, or the only one."""
    registered = Store(outputs()).names()
    name = model or (_named_in(str(params)) if params else "")
    if name and name not in registered:
        raise RegistryError(
            f"No model {name!r} is registered; there are {registered}. `make registry` adds one."
        )
    if not name and len(registered) != 1:
        raise RegistryError(f"Which model? Say MODEL=<name>; registered are {registered}.")
    return name or registered[0]


def _named_in(params: str) -> str:
    parameters = plain_yaml.read(here().root / params, params)
    if "problem" not in parameters:
        raise RegistryError(f"{params} names no problem. Say MODEL=<name>.")
    return name_of(parameters["problem"], "", parameters.get("source", "generated") == "generated")


def versions(name: str) -> pd.DataFrame:
    """The versions of a registered name, newest first, with their aliases."""
    return Store(outputs()).table(name)


def promote(name: str, version: str = CHALLENGER, alias: str = "champion") -> Version:
    """The user's own word: point `alias` to a version, given by its number or an alias."""
    store = Store(outputs())
    with store.lock():
        chosen = store.pick(name, version)
        store.folder(chosen)  # one that cannot answer is refused
        store.move(chosen, alias)
        if alias != CHALLENGER and chosen.number == store.aliases(name).get(CHALLENGER):
            store.drop(name, CHALLENGER)
        return store.pick(name, alias)


def rollback(name: str, alias: str = "champion") -> Version:
    """Point `alias` to the version that held it before."""
    store = Store(outputs())
    with store.lock():
        return store.back(name, alias)


def retire(name: str, version: str, reason: str) -> tuple[Version, tuple[str, ...]]:
    """Take a version, given by its number or an alias, out of use for good; gives what it held, too."""
    store = Store(outputs())
    with store.lock():
        chosen = store.pick(name, version)
        return store.retire(chosen, one_line(redaction.text(reason))), chosen.aliases
