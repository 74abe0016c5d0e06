"""What to try next: which family, by how the families did so far, and which parameters, by TPE.

Both look only at results that were *told*, in the order of submission, so the trials do not depend on
which worker was faster.
"""

import itertools
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from lib.models import spaces

#: Trials that every family gets before the families are compared.
FAIR = 3


class FamilySearch:
    """TPE over one family's space; the first point is the family's own first guess."""

    def __init__(self, family: str, space: spaces.Space, seed: int, random_trials: int):
        self.family, self.space, self.seed = family, space, seed + zlib.crc32(family.encode()) % 10_000
        self.random_trials, self.asked = random_trials, 0
        self._trials = self._domain = None
        choices = [spec[1] for spec in space.values() if spec[0] == "choice"]
        self.size = math.prod(map(len, choices)) if len(choices) == len(space) else math.inf

    @property
    def left(self) -> bool:
        """Whether there is a point that was not tried: a space of choices alone has an end."""
        return self.asked < self.size

    def _start(self) -> None:
        from hyperopt.base import Domain, Trials

        self._domain = Domain(lambda point: 0.0, spaces.hyperopt_space(self.space))
        self._trials = Trials()

    def ask(self) -> dict[str, Any]:
        """The next point, from what was told so far."""
        from hyperopt import space_eval, tpe

        self.asked += 1
        if self.asked == 1 and self.size == math.inf:
            return spaces.first(self.family, self.space)
        if self.size < math.inf:
            points = itertools.product(*(spec[1] for spec in self.space.values()))
            return dict(zip(self.space, next(itertools.islice(points, self.asked - 1, None)), strict=True))
        if self._trials is None:
            self._start()
        number = self.asked
        found = tpe.suggest(
            [number], self._domain, self._trials, self.seed + number, n_startup_jobs=self.random_trials
        )
        values = {name: value[0] for name, value in found[0]["misc"]["vals"].items()}
        return spaces.plain(self.space, space_eval(spaces.hyperopt_space(self.space), values))

    def tell(self, point: Mapping[str, Any], loss: float | None) -> None:
        """Add a result; a failed trial tells TPE nothing."""
        from hyperopt.base import JOB_STATE_DONE, STATUS_OK

        if loss is None:
            return
        if self._trials is None:
            self._start()
        number = len(self._trials.trials)
        values = {name: [_index(self.space[name], point[name])] for name in self.space}
        misc = {"tid": number, "cmd": ("domain_attachment", "FMinIter_Domain"), "vals": values}
        misc["idxs"] = {name: [number] for name in self.space}
        result = {"loss": loss, "status": STATUS_OK}
        document = self._trials.new_trial_docs([number], [None], [result], [misc])[0]
        document["state"] = JOB_STATE_DONE
        self._trials.insert_trial_doc(document)
        self._trials.refresh()


def _index(spec: tuple, value: Any) -> Any:
    """A value as hyperopt stores it: the place of a choice, else the number itself."""
    return list(spec[1]).index(value) if spec[0] == "choice" else value


def next_family(names: Sequence[str], asked: Mapping[str, int], best: Mapping[str, float | None]) -> str:
    """The family whose turn it is: first the fair start, then shares that fall with the square of the rank.

    `asked` counts trials submitted, `best` is the lowest loss told (None: none yet, or all failed).
    """
    behind = [name for name in names if asked[name] < FAIR]
    if behind:
        return min(behind, key=lambda name: (asked[name], names.index(name)))
    ranked = sorted(names, key=lambda name: (best[name] is None, best[name] or 0.0, names.index(name)))
    weight = {name: 1.0 / (rank + 1) ** 2 for rank, name in enumerate(ranked)}
    return min(ranked, key=lambda name: (asked[name] - FAIR + 1) / weight[name])
