"""The first half of the capstone's criteria: the problem in words, its rows, and how they are split."""

import re

from lib import quality
from lib.grading.capstone.evidence import Evidence, Unmet
from lib.problem import Words
from lib.scaffold import inspection, table, templates
from lib.wording import few

#: A description of fewer words does not say who asks, when, and what for.
DESCRIPTION = 12
#: A column of so many values, each in two rows or more on average, may say which rows belong together.
GROUPS, EACH = 20, 2
#: A split of fewer rows measures nothing.
ROWS = inspection.LEAST


# --- the problem -------------------------------------------------------------------------------------


def loads(evidence: Evidence) -> str:
    """The package can be read."""
    return evidence.dataset.title


def titled(evidence: Evidence) -> str:
    """The title is a question of the learner's."""
    dataset = evidence.dataset
    if dataset.title in ("", f"{dataset.target.name}?"):
        raise Unmet(
            f"The title is still {dataset.title!r}.",
            f"Write the question that is answered into `title` of {evidence.told_in}.",
        )
    return ""


def worded(evidence: Evidence) -> str:
    """The pages have words for what a row is."""
    dataset = evidence.dataset
    if dataset.words == Words(templates.ROW, templates.ROWS, f"the {dataset.target.name}"):
        raise Unmet(
            f"What one row is, the pages cannot say: they call it a {templates.ROW!r}.",
            f'Name it in {evidence.told_in}: `words=Words("trip", "trips", "a trip\'s minutes")`.',
        )
    return ""


def meant(evidence: Evidence) -> str:
    """The target has a meaning."""
    target = evidence.dataset.target
    if not target.meaning.strip() or target.meaning.endswith(templates.AS_IN_THE_FILE):
        raise Unmet(
            f"What {target.name!r} is, nobody has said yet.",
            f"Write its meaning into TARGET, {evidence.package}serving.py.",
        )
    return f"`{target.name}`: {target.meaning}" + (f", in {target.unit}" if target.unit else "")


def measured(evidence: Evidence) -> str:
    """The target has a unit, if it is a number."""
    dataset = evidence.dataset
    if dataset.task == "regression" and not dataset.target.unit.strip():
        raise Unmet(
            f"{dataset.target.name!r} is a number without a unit.",
            f"Write min, €, pieces or what it is into TARGET, {evidence.package}serving.py.",
        )
    return ""


def asked(evidence: Evidence) -> str:
    """Who asks, when, and what for."""
    said = evidence.dataset.description
    if said == templates.DESCRIPTION or len(said.split()) < DESCRIPTION:
        raise Unmet(
            "For whom the prediction is made, nobody has said yet.",
            f"Say in `description` of {evidence.told_in} who asks, when, and what the answer is used for, in "
            f"{DESCRIPTION} words or more.",
        )
    return ""


def costly(evidence: Evidence) -> str:
    """What an error costs."""
    if not evidence.decided("error"):
        raise Unmet(
            "What an error costs, nobody has said yet: no metric can be chosen without.",
            f"Think of too much and of too little, and {evidence.write_down('error', 'what it costs whom')}.",
        )
    return ""


def owned(evidence: Evidence) -> str:
    """Whose the data are."""
    if evidence.dataset.licence in ("", templates.LICENCE):
        raise Unmet("Whose the data are is not said.", f"Write it into `licence` of {evidence.told_in}.")
    return ""


def columns(evidence: Evidence) -> str:
    """Every column has a meaning."""
    target = evidence.dataset.target.name
    others = {name: column for name, column in evidence.dataset.columns.items() if name != target}
    empty = [name for name, column in others.items() if not column.meaning.strip()]
    if empty:
        raise Unmet(
            f"{len(empty)} of {len(others)} columns have no meaning: {few(empty)}.",
            f"Write it between the quotes of COLUMNS, {evidence.package}serving.py.",
        )
    return f"{len(others)} columns beside it, each with its meaning"


def known(evidence: Evidence) -> str:
    """Of each column it was asked when its value is known."""
    after = [n for n, c in evidence.dataset.columns.items() if c.known == "after"]
    late = [name for name in after if name != evidence.dataset.target.name]
    if not late and not evidence.decided("known"):
        evidence.refuse(
            "known",
            "Every column but the target is said to be known before the prediction is made. Is it?",
            f'Mark those that are not by `known="after"` in {evidence.package}serving.py',
            "how you made sure of each column",
        )
    return f"known only afterwards: {few(late)}" if late else "every column is known beforehand"


# --- the rows ----------------------------------------------------------------------------------------


def own(evidence: Evidence) -> str:
    """The rows are those of a file of the learner's, and which one is kept."""
    origin = evidence.mapping("provenance")
    if origin.get("generated"):
        raise Unmet(
            "The rows were generated, column by column: there is nothing in them to be learnt.",
            f"Set `source: published` in {evidence.params}, then {evidence.pipeline}.",
        )
    kept = [one for one in origin.get("files", []) if one.get("sha256")]
    if not kept or any("://" in str(one["url"]) for one in kept):
        raise Unmet(
            "The rows are not those of a file of your own.",
            "`make new-problem NAME=… DATA=your.csv TARGET=…` makes a problem of one.",
        )
    said = [f"{one['name']} (sha256 {str(one['sha256'])[:12]}…)" for one in kept]
    return f"{origin['rows']:,} rows of {', '.join(said)}"


def cleaned(evidence: Evidence) -> str:
    """At least one rule is the learner's own and has a reason."""
    written = {rule.name for rule in table.rules(evidence.dataset.target.name)}
    rules = [
        rule
        for rule in evidence.dataset.rules()
        if rule.name not in written and not re.fullmatch(r"\d+ rows a class", rule.name)
    ]
    if not rules and not evidence.decided("rules"):
        evidence.refuse(
            "rules",
            "No rule of yours says which rows cannot be true.",
            f"Look at the pictures of page 2, and add a `Rule` in {evidence.package}training.py",
            "why no row is to be refused",
        )
    silent = [rule.name for rule in rules if not rule.reason.strip()]
    if silent:
        raise Unmet(f"The rule {few(silent)} has no reason.", f"Write it, in {evidence.package}training.py.")
    return f"rules of your own: {few(rule.name for rule in rules)}" if rules else "no rule, with a reason"


# --- the splits --------------------------------------------------------------------------------------


def apart(evidence: Evidence) -> str:
    """No row and no group is in two splits, and each is large enough to say something."""
    checks = evidence.mapping("quality").get("checks", {})
    asked = quality.apart(evidence.dataset.groups).name
    if checks.get(asked, {}).get("result") != "ok":
        raise Unmet(
            f"The check “{asked}” did not hold.", f"Correct `split` in {evidence.package}training.py."
        )
    sizes = evidence.step("03_prep").metrics
    counts = {name: int(sizes.get(f"{name}_rows") or 0) for name in ("train", "validation", "test")}
    small = [f"{name} has {count}" for name, count in counts.items() if count < ROWS]
    if small:
        raise Unmet(
            f"Fewer than {ROWS} rows measure nothing: {few(small)}.",
            f"Give that split more rows, in {evidence.package}training.py.",
        )
    return ", ".join(f"{count:,} rows of {name}" for name, count in counts.items())


def ordered(evidence: Evidence) -> str:
    """Where rows have a time, the splits are in its order, or it is said why not."""
    dataset = evidence.dataset
    times = [name for name in dataset.of_kind("time", known="before") if name != dataset.when]
    if dataset.when:
        return f"in the order of {dataset.when}"
    if times and not evidence.decided("time", times):
        evidence.refuse(
            "time",
            f"{few(times)} {'is a time' if len(times) == 1 else 'are times'}, and the splits do not heed it. "
            "Will the model be asked about rows that come later?",
            f'If so, say `when="{times[0]}"` in DATASET of {evidence.package}training.py and split by it',
            f"why {few(times)} says nothing of the order in which it will be asked",
            times,
        )
    return "in no order of time, with a reason" if times else ""


def grouped(evidence: Evidence) -> str:
    """Where rows belong together, groups keep them so, or it is said why not."""
    dataset = evidence.dataset
    may = [name for name in _repeated(evidence) if name not in dataset.groups]
    if may and not evidence.decided("groups", may):
        evidence.refuse(
            "groups",
            f"Each value of {few(may)} stands in several rows: may rows of one be in train and in test?",
            f'If not, say `groups=("{may[0]}",)` in DATASET of {evidence.package}training.py: the split that '
            "`make new-problem` wrote keeps to it, and one of your own is given the same",
            f"why rows of one {few(may)} may be parted",
            may,
        )
    kept = f"groups of {few(dataset.groups)} together" if dataset.groups else ""
    return kept or ("groups may be parted, with a reason" if may else "")


def _repeated(evidence: Evidence) -> list[str]:
    """The columns that may say which rows belong together, by the counts of page 2."""
    profile, dataset = evidence.mapping("profile"), evidence.dataset
    unique, rows = profile.get("unique", {}), profile.get("rows", {}).get("raw", 0)
    numbers = [name for name in dataset.of_kind("number") if inspection.TAG.search(name)]
    tags = [*dataset.of_kind("id", "category"), *numbers]
    many = [name for name in tags if GROUPS <= unique.get(name, 0) <= rows / EACH]
    return [name for name in many if name != dataset.target.name]


def minded(evidence: Evidence) -> str:
    """Whatever page 3 warns of (a leak, an order, too much refused) is mended, or answered."""
    said = evidence.mapping("cautions").get("said", [])
    if said and not evidence.decided("cautions"):
        evidence.refuse(
            "cautions",
            f"Page 3 warns: {' '.join(said)}",
            f"Do as it says, then {evidence.pipeline}",
            "why the figures are honest all the same",
        )
    return "a warning, with an answer" if said else "nothing told that must be minded"
