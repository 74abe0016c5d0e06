"""The second half of the capstone's criteria: the search, the model, and the champion in the registry."""

from lib import files, records, registry
from lib.grading.capstone.evidence import Evidence, Unmet
from lib.registry.store import Store, name_of
from lib.tuning.selection import LINEAR
from lib.wording import few, rounded

#: Of so many settings drawn blindly one lies among the best tenth with a chance of 96 % (1 - 0.9^30).
TRIALS = 30
#: The share of rows that the intervals of page 5 promise to hold.
LEVEL = 0.9


# --- the search --------------------------------------------------------------------------------------


def families(evidence: Evidence) -> str:
    """Two families or more were tried, the straight line among them."""
    best, line = list(evidence.tuned.best), LINEAR[evidence.dataset.task]
    if line not in best:
        raise Unmet(
            f"The search tried {few(best)}, and no baseline: a model is worth what it is better than a line.",
            f"Add {line} to `models` in {evidence.params}, then {evidence.pipeline}.",
        )
    if len(best) < 2:
        raise Unmet(
            f"The search tried {line} alone.",
            f"Add another family to `models` in {evidence.params} (`make options PARAMS={evidence.params}` "
            "lists them).",
        )
    return few(best)


def enough(evidence: Evidence) -> str:
    """Enough trials, which ran to their end."""
    tuned, again = evidence.tuned, f"in {evidence.params}, then {evidence.pipeline}"
    if tuned.trials < tuned.budget and tuned.ended in ("its time was over", "it was interrupted"):
        raise Unmet(
            f"The search ended after {tuned.trials} of {tuned.budget} trials, as {tuned.ended}: the speed of "
            "this machine has decided what was tried.",
            f"Raise `timeout_s` {again}.",
        )
    if tuned.cut:
        raise Unmet(
            f"{tuned.cut} trials were cut by the clock, with the rounds they had.",
            f"Raise `timeout_s`, or take fewer trials, {again}.",
        )
    if tuned.failed > tuned.trials / 10:
        raise Unmet(
            f"{tuned.failed} of {tuned.trials} trials failed.",
            f"Page 4 shows with what settings; narrow `space` {again}.",
        )
    asked = evidence.step("04_tune").parameters
    all_there_are = tuned.budget < int(asked["max_evals"]) * len(asked["models"])  # spaces of choices alone
    if tuned.trials < TRIALS and not all_there_are:
        raise Unmet(
            f"{tuned.trials} trials are few: of {TRIALS} drawn blindly, one is among the best "
            "tenth with a chance of 96 %.",
            f"Raise `max_evals` (trials a family, on average) {again}.",
        )
    return tuned.told


def chosen(evidence: Evidence) -> str:
    """The choice was made on validation: the search has not read the test rows."""
    read = evidence.step("04_tune").inputs
    if "test" in read:
        raise Unmet(
            "The search has read the test rows: they cannot judge what they have chosen.",
            'Take "test" from `reads` of notebooks/04_tune.ipynb, and what uses it.',
        )
    score, metric = float(evidence.tuned.choice["score"]), evidence.tuned.metric
    return f"{evidence.tuned.choice['family']} chosen on validation ({metric} {rounded(score, 4)})"


# --- the model ---------------------------------------------------------------------------------------


def beats(evidence: Evidence) -> str:
    """The model beats the constant by more than luck."""
    figures, metric = evidence.figures, evidence.tuned.metric
    own, constant = figures.get(f"test_{metric}"), figures.get(f"baseline_constant_test_{metric}")
    said = "test " + metric + (f" {rounded(own, 4)}" if own is not None else "")
    said += f", a constant {rounded(constant, 4)}" if constant is not None else ""
    if figures.get("beats_constant") is None:
        raise Unmet(
            f"The gain over a constant has no interval ({said}): nobody can say if it is luck.",
            f"Page 5 says why; mostly it takes more test rows, or `draws`, then {evidence.pipeline}.",
        )
    if figures["beats_constant"] != 1:
        raise Unmet(
            f"These rows cannot tell the model from one that always answers the same ({said}).",
            "More rows, or columns that know more. That nothing can be told is a result, but no champion.",
        )
    return said


def covers(evidence: Evidence) -> str:
    """The intervals hold as many of the test rows as they promise, but for luck."""
    held, sizes = evidence.figures.get("test_interval_coverage"), evidence.step("03_prep").metrics
    rows = [int(sizes.get(f"{name}_rows") or 1) for name in ("validation", "test")]
    least = LEVEL - 3 * (LEVEL * (1 - LEVEL) * sum(1 / n for n in rows)) ** 0.5  # both samples are luck
    if held is None:
        raise Unmet("Page 5 has kept no coverage of intervals.", f"{evidence.pipeline} runs it anew.")
    if held < least and not evidence.decided("coverage"):
        evidence.refuse(
            "coverage",
            f"Intervals that promise to hold {LEVEL:.0%} of the test rows hold {held:.1%}, and luck "
            f"ends at {least:.1%}: the test rows are not like those of validation.",
            "Page 5 shows where they fail; train and validate on rows nearer to those of test",
            "what differs, and what whoever relies on an interval is told",
        )
    return f"{LEVEL:.0%} intervals hold {held:.1%}"


def early(evidence: Evidence) -> str:
    """What is known only afterwards is not used, or that is admitted."""
    late = evidence.tuned.late
    if late and not evidence.decided("late", late):
        evidence.refuse(
            "late",
            f"The model is told {few(late)}, known only after the prediction is made.",
            f"Choose a `feature_set` without in {evidence.params}",
            f"where {few(late)} comes from when it is asked",
            late,
        )
    return f"told {few(late)} beforehand, with a reason" if late else "told nothing too late"


# --- the champion ------------------------------------------------------------------------------------


def in_use(evidence: Evidence) -> str:
    """This run's model is not retired: page 6 itself could say no more, as nobody holds the alias then."""
    made = records.Registration.read(evidence.folder / "registry.json")
    if made and made.digest == files.digest(evidence.folder / "model"):
        versions = Store(evidence.project.outputs).versions(made.name)
        for gone in (one for one in versions if one.number == made.version and one.retired):
            raise Unmet(
                f"{gone}, of this run, is retired ({gone.retired}).",
                f"It takes no alias again: mend what it was retired for, then {evidence.pipeline}.",
            )
    return ""


def champion(evidence: Evidence) -> str:
    """This run's model is registered under the problem's own name, holds the alias, and can answer."""
    evidence.step("06_registry")
    made = evidence.registration
    name = name_of(evidence.problem, evidence.run, generated=False)
    if made.name != name or made.alias != "champion":
        raise Unmet(
            f"The model is registered as {made.name}@{made.alias}, not as {name}@champion.",
            f"Take `alias` from {evidence.params}, then {evidence.pipeline}.",
        )
    store = Store(evidence.project.outputs)
    holder = store.get(name, made.alias)
    number = f"version {holder.number}" if holder else "no version"
    if holder is None or holder.number != made.version:
        raise Unmet(
            f"Version {made.version}, of this run, does not hold the alias: {number} is the champion. When "
            f"it was judged: {made.reason}",
            "If the older one knew what it must not (a leak, another split), `make retire "
            f'MODEL={name} VERSION=<number> REASON="…"`, then `make promote MODEL={name} '
            f"VERSION={made.version}`. "
            "If it is honest and better, go back to what made it.",
        )
    if trouble := store.trouble(holder):
        raise Unmet(
            f"{holder} cannot answer: {trouble}", f"`make registry PARAMS={evidence.params} FORCE=1`."
        )
    return f"{holder} is the champion ({made.outcome})"


def described(evidence: Evidence) -> str:
    """The description in the registry is today's: the title, and what is predicted."""
    made, dataset = evidence.registration, evidence.dataset
    store = Store(evidence.project.outputs)
    there = {version.number: version for version in store.versions(made.name)}
    text = registry.description(there[made.version]) if made.version in there else ""
    lacking = [words for words in (dataset.title, dataset.target.meaning) if words not in text]
    if lacking:
        raise Unmet(
            f"The registry's description of version {made.version} does not say {lacking[0]!r}.",
            f"`make pipeline PARAMS={evidence.params} STEPS=registry FORCE=1` writes it anew.",
        )
    return text.partition("\n")[0]
