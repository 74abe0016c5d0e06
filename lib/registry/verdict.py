"""What follows from a contest: whether the alias may move, and the sentence that says why.

Who moves it is in `lib.registry`, what was compared and how sure that is in `lib.registry.contest`.
"""

from dataclasses import dataclass

from lib import evaluation
from lib.registry.contest import Contest
from lib.registry.store import Decision, Version
from lib.wording import lead, rounded, signed

WINS = ("first", "better")
#: What is decided by the test rows alone, and can be luck.
JUDGED = ("better", "not better")


@dataclass(frozen=True)
class Verdict:
    """What follows from the comparison: `outcome` is first, same, better, not better, unfair, or retired.

    `champion` is who held the alias and can answer. A model is decided on once: of one that was, `outcome`
    and `reason` say what was decided then.
    """

    version: Version
    champion: Version | None
    outcome: str
    reason: str
    contest: Contest
    rival: Version | None = None  # whose predictions the candidate's are held against, if a version's

    @property
    def wins(self) -> bool:
        """Whether the alias may move to this version without asking anybody."""
        return self.outcome in WINS


def read_reported(made: Verdict) -> str:
    """Whether the score that the rival once reported misleads: beside it, its score on these rows."""
    rival, comparison = made.rival, made.contest
    if rival is None:
        return "No other version has a score to be misled by yet."
    metric, way = comparison.dataset.metric, evaluation.sign(comparison.dataset.metric)
    name, _, reported = rival.tags.get("workbook.test_score", "").partition(" ")
    if name != metric:
        return f"{rival} reported no {metric} that this one could be held against."
    own, theirs = (float(comparison.scores()[metric][side]) for side in ("candidate", comparison.rival))
    then = float(reported)
    said = f"{rival} reported a {metric} of {rounded(then, 4)}; on these rows it has {rounded(theirs, 4)}"
    if abs(then - theirs) <= 1e-4 * abs(theirs):
        return f"{said}: it was measured on such rows, and here the table would not have misled."
    misled = (way * (then - own) > 0) != (way * (theirs - own) > 0)
    whom = "and would have turned the order round" if misled else "though here the order is the same"
    apart = rounded(abs(then - theirs), 2)
    return f"{said}. The difference of {apart} is that of the rows, no model's, {whom}."


def since(version: Version, holder: Version | None, earlier: Decision, alias: str) -> str:
    """What became of an alias after it was decided who holds it."""
    now = holder.number if holder else None
    if not earlier.done or now == (version.number if earlier.outcome in WINS else earlier.before):
        return ""
    return (
        f" That was decided when it was new. Since then {alias!r} has moved, to {holder or 'no version'}: "
        "nothing moves now, as only a new model starts a contest."
    )


def of(version: Version, holder: Version | None, comparison: Contest, alias: str) -> tuple[str, str]:
    """The outcome, and the sentence that gives the reason."""
    metric, total = comparison.dataset.metric, len(comparison.rows)
    if holder is None:
        return "first", f"No version held {alias!r}: {version} takes it."
    if holder.number == version.number:
        return "same", f"{version} is the {alias} already, the same model to the byte: nothing moves."
    if comparison.leaked is None:
        return "unfair", (
            f"Nobody here can know whether {version} was fitted on these test rows, as its marks are not in "
            f"outputs/marks: {alias!r} stays. `make train FORCE=1` makes them anew."
        )
    if comparison.leaked > 0.01 * total:
        return "unfair", (
            f"{version} was itself fitted on {comparison.leaked:,} of these {total:,} test rows: its "
            f"score means nothing, and {alias!r} stays. The checks of `make prep` name such rows."
        )
    if comparison.rival_leaked:
        return "unfair", (
            f"{holder} was fitted on {comparison.rival_leaked:,} of these {total:,} test rows and knows the "
            f"answers: a comparison would be unfair. {alias!r} stays; `make promote VERSION={version.number} "
            f"MODEL={version.name}` moves it, if you judge so, and `make retire VERSION={holder.number} "
            f"MODEL={version.name}` takes {holder} out of use for good."
        )
    found = comparison.interval
    line = f"{metric} {lead(found.value)} than {holder} "
    if not found.reason:
        ends = f"{signed(found.low)} to {signed(found.high)}"
        line += f"(95 % interval of the gain: {ends}, {found.drawn} drawn)"
    else:
        other = (
            f"; in its place {found.instead.metric} gained {found.instead.said()}" if found.instead else ""
        )
        line += f"(no interval of the gain: {found.reason}{other})"
    if comparison.rival_leaked is None:
        line += f"; whether {holder} was fitted on some of these rows nobody can know here, without its marks"
    if comparison.won:
        return "better", f"{version} takes {alias!r}: {line}."
    luck = ", which may be luck" if found.value > 0 else ""
    return "not better", f"{holder} stays {alias}: {version} has {line}{luck}."
