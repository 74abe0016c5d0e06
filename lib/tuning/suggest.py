"""What to try next: which family, by how the families did so far, and which parameters, by hyperopt.

Both look only at results that were observed, in the order of submission, so the trials do not depend on
which worker was faster.
"""

import functools
import itertools
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lib.tuning import spaces

if TYPE_CHECKING:
    from hyperopt import Domain, Trials

#: Trials that every family gets before the families are compared.
FAIR = 3
#: What TPE and annealing are told before they propose, a share of all: a first guess and random points.
TOLD, OF_ALL = 2, 0.2


class Asked(NamedTuple):
    """What TPE was asked when it proposed a trial: all that `hyperopt.tpe.suggest` takes to say it again."""

    trial: int  # its number in the search
    number: int  # and among those of its family
    space: spaces.Space
    domain: "Domain"
    known: "Trials"
    seed: int


class FamilySearch:
    """The points of one family, `expected` of them: its first guess, some at random, then as `algo` says.

    A space of choices alone is gone through, point by point. `by` says who proposed the last point.
    """

    def __init__(self, family: str, space: spaces.Space, seed: int, expected: int, algo: str = "tpe") -> None:
        self.family, self.space, self.seed = family, space, seed + zlib.crc32(family.encode())
        self.algo, self.suggested, self.by = algo, 0, ""
        self.told = max(TOLD, round(OF_ALL * expected))
        self._state: tuple[Domain, Trials] | None = None
        self._observed = 0
        self._known: list[int] = []  # how many results there were when each point was proposed
        choices = [spec[1] for spec in space.values() if spec[0] == "choice"]
        self.size = math.prod(map(len, choices)) if len(choices) == len(space) else math.inf

    @property
    def exhausted(self) -> bool:
        """Whether every point was tried: a space of choices alone has an end."""
        return self.suggested >= self.size

    @property
    def _hyperopt(self) -> "tuple[Domain, Trials]":
        """hyperopt's view of the space and of what was tried; it is imported when first needed."""
        from hyperopt import Domain, Trials

        if self._state is None:
            self._state = Domain(lambda _: 0.0, spaces.for_hyperopt(self.space)), Trials()
        return self._state

    def suggest(self) -> spaces.Point:
        """The next point, from what was observed so far; those under way count as bad: others are tried."""
        number = self.suggested
        self.suggested += 1
        if self.size < math.inf:
            self.by = "grid"
            points = itertools.product(*(spec[1] for spec in self.space.values()))
            return dict(zip(self.space, next(itertools.islice(points, number, None)), strict=True))
        domain, trials = self._hyperopt
        self._known.append(self._observed)
        document = self._proposal(number)([number], domain, trials, self._drawn(number))[0]
        places = {name: value[0] for name, value in document["misc"]["vals"].items()}
        if number == 0:
            first = spaces.first(self.family, self.space)
            places = spaces.places(self.space, first)
            document["misc"]["vals"] = {name: [place] for name, place in places.items()}
        trials.insert_trial_doc(document)
        trials.refresh()
        return first if number == 0 else spaces.point(self.space, places)

    def _drawn(self, number: int) -> int:
        """The seed of trial `number`: with seed + number, neighbouring seeds would draw the same points."""
        import numpy as np

        return int(np.random.SeedSequence((self.seed, number)).generate_state(1)[0])

    def _proposal(self, number: int) -> Callable[..., list[dict[str, Any]]]:
        """hyperopt's function that proposes trial `number`."""
        from hyperopt import anneal, rand, tpe

        self.by = "first guess" if number == 0 else "random" if number < self.told else self.algo
        if self.by == "tpe":
            return functools.partial(tpe.suggest, n_startup_jobs=0, verbose=False)
        return anneal.suggest if self.by == "anneal" else rand.suggest

    def asked(self, trial: int, number: int) -> Asked:
        """What TPE was asked for the family's own trial `number`, with what was known then and no more."""
        from hyperopt import JOB_STATE_NEW, STATUS_NEW, trials_from_docs

        domain, trials = self._hyperopt
        documents = [dict(document) for document in trials.trials[:number]]
        for document in documents[self._known[number] :]:
            document |= {"state": JOB_STATE_NEW, "result": {"status": STATUS_NEW}}
        return Asked(trial, number, self.space, domain, trials_from_docs(documents), self._drawn(number))

    def observe(self, number: int, loss: float | None) -> None:
        """Add the result of the family's own trial `number`; one that failed is as bad as can be."""
        from hyperopt import JOB_STATE_DONE, STATUS_FAIL, STATUS_OK

        if self.size < math.inf:
            return
        _, trials = self._hyperopt
        self._observed += 1
        document = trials.trials[number]
        document["state"] = JOB_STATE_DONE
        document["result"] = {"status": STATUS_FAIL} if loss is None else {"status": STATUS_OK, "loss": loss}
        trials.refresh()


def next_family(names: Sequence[str], submitted: Mapping[str, int], best: Mapping[str, float | None]) -> str:
    """The family whose turn it is: first the fair start, then shares that fall with the square of the rank.

    `submitted` counts trials, `best` is the lowest loss observed (None: none yet, or all failed).
    """
    behind = [name for name in names if submitted[name] < FAIR]
    if behind:
        return min(behind, key=lambda name: (submitted[name], names.index(name)))
    ranked = sorted(names, key=lambda name: (best[name] is None, best[name] or 0.0, names.index(name)))
    weight = {name: 1.0 / (rank + 1) ** 2 for rank, name in enumerate(ranked)}
    return min(ranked, key=lambda name: (submitted[name] - FAIR + 1) / weight[name])


def stopper(patience: int) -> Callable[[float | None], bool]:
    """Whether to stop after a loss: as many trials without a better one as `patience` says; with 0 never."""
    if not patience:
        return lambda _: False
    from types import SimpleNamespace

    from hyperopt.early_stop import no_progress_loss

    judge = no_progress_loss(patience)
    state: list[Any] = []

    def stop(loss: float | None) -> bool:
        over, state[:] = judge(SimpleNamespace(trials=[{"result": {"loss": loss}}]), *state)
        return bool(over)

    return stop
