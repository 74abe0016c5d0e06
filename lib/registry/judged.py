"""Rows that judge again and again: which versions they have judged, and what that costs.

Kept with the registered name, under the digest of the rows. Rows of another cleaning are others, although
most of them may be the same: the count is the least that it can be.
"""

import json

from lib.records import Registration
from lib.registry.store import Store, Version

#: With this chance an equal challenger takes the alias: its gain's 95 % interval lies above zero by luck.
CHANCE = 0.025


def by(store: Store, name: str, rows: str) -> list[int]:
    """The versions of a name that rows of this digest have judged, in that order."""
    tags = store.client.get_registered_model(name).tags
    judged: list[int] = json.loads(tags.get(f"workbook.judged.{rows}", "[]"))
    return judged


def note(store: Store, version: Version, rows: str) -> None:
    """Note that rows of this digest have judged a version; once is enough."""
    earlier = by(store, version.name, rows)
    if version.number not in earlier:
        tag, value = f"workbook.judged.{rows}", json.dumps([*earlier, version.number])
        store.client.set_registered_model_tag(version.name, tag, value)


def read(decision: Registration) -> str:
    """How many versions these very rows have judged, and what that costs."""
    if not decision.judged:
        return "So far these rows have judged nobody. Each contest that they decide is counted here."
    if decision.judged == 1:
        return (
            "These rows have judged **one** version so far. Had it been no better than the champion, it "
            f"would have won with a chance of {CHANCE:.1%}, and so has every further one that they judge."
        )
    luck = 1 - (1 - CHANCE) ** decision.judged
    return (
        f"These very rows have judged **{decision.judged}** versions. Had none been better than its "
        f"champion, luck would have promoted at least one with a chance of up to {luck:.0%}, and the score "
        "of whoever won by them flatters. Rows that have judged nobody yet would tell."
    )
