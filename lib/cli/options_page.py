"""docs/options.md, made of the code: options, feature sets and families of each problem that is shipped.

`make docs` writes it; a test says when that is due. A problem of the user's own is printed by `make options`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lib import files
from lib.notebook_source import problems
from lib.paths import Project

PAGE = "options.md"
#: The problems that come with the workbook.
SHIPPED = ("green_taxi", "music_genres", "nyc_rentals")

_HEAD = """# Options, feature sets and families

What can be said in `params/<problem>.yaml`, and by `P="…"`, of each problem that comes with the workbook.
This page is made of the code by `make docs`. `make options PARAMS=params/green_taxi.yaml` prints the same for
one problem, with the values of that file, and for a problem of your own. The parameters of the search stand
in [the search](search.md), those of a page in its first code cell.
"""


def text(project: Project) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_families(), *(line for name in SHIPPED for line in _problem(project, name))])


def write(project: Project) -> str:
    """Write the page where it differs; a line that says so."""
    path = project.root / "docs" / PAGE
    now = text(project)
    if path.is_file() and path.read_text(encoding="utf-8") == now:
        return f"{project.shown(path)} is up to date."
    files.write_text(path, now)
    return f"Wrote {project.shown(path)}."


def _problem(project: Project, name: str) -> Iterator[str]:
    from lib.problem import load

    dataset = load(name)
    yield f"## {name}: {dataset.title}\n"
    yield f"A {dataset.task} of `{dataset.target.name}`, judged by `{dataset.metric}`.\n"
    yield "### Options\n"
    yield from _table(
        ("option", "type", "default", "meaning"),
        (
            (
                f"`options.{option.name}`",
                option.type,
                f"`{_yaml(getattr(dataset.options, option.name))}`",
                option.meaning,
            )
            for option in problems.options(problems.training(project, name)).values()
        ),
    )
    yield "### Feature sets\n"
    for feature_set in dataset.feature_sets.values():
        late = [f"`{column}`" for column in feature_set.admits]
        yield f"**`{feature_set.name}`**: {feature_set.why}."
        yield f"It is told {', '.join(late)}, known only after.\n" if late else ""
        yield from _table(
            ("columns", "encoder", "settings"),
            (
                (
                    ", ".join(f"`{column}`" for column in part.columns),
                    f"`{part.how}`",
                    ", ".join(f"`{key}={_yaml(value)}`" for key, value in part.settings.items()) or "–",
                )
                for part in feature_set.encodes
            ),
        )


def _families() -> Iterator[str]:
    from lib.runtime import models
    from lib.tuning import spaces

    yield "## Families of models\n"
    yield (
        "`models=[…]` names those that compete. What is searched of each, unless `fixed` or `space` says\n"
        "otherwise, stands below: first where the features are many and sparse, then where they are few and\n"
        "dense. A feature set may bring spaces of its own.\n"
    )
    yield from _table(
        ("family", "tasks", "what it is"),
        ((f"`{one.name}`", ", ".join(one.tasks), one.about) for one in models.ZOO.values()),
    )
    for title, space in (("Sparse features", spaces.SPARSE), ("Dense features", spaces.DENSE)):
        yield f"### {title}\n"
        yield from _table(
            ("family", "what is searched"),
            ((f"`{name}`", _space(space[name])) for name in models.ZOO if name in space),
        )


def _space(space: Mapping[str, Sequence[object]]) -> str:
    return (
        ", ".join(
            f"`{key}=[{','.join([str(spec[0]), *map(_yaml, spec[1:])])}]`" for key, spec in space.items()
        )
        or "nothing"
    )


def _yaml(value: object) -> str:
    """A value as it is written in a parameters file."""
    return json.dumps(files.plain(value), ensure_ascii=False, separators=(",", ":"))


def _table(head: tuple[str, ...], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"
    yield ""
