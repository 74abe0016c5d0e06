"""A new problem from a file of the user's: `make new-problem NAME=churn DATA=customers.csv TARGET=churned`.

`inspection` says what each column is, `write` puts it into the package `lib/datasets/<name>/` and
`params/<name>.yaml`. What that package calls when it runs is `table`.
"""

from pathlib import Path

from lib import files, paths


def new_problem(name: str, data: str | Path, target: str, project: Path = paths.ROOT) -> str:
    """Write the problem `name` from the table in the file `data`; the text that says what was inferred."""
    from lib.scaffold import inspection, write  # not by a problem that only wants `table`

    package, params = write.places(name, project)
    inspected = inspection.inspect_file(paths.typed(data), target)
    modules = write.package(name, inspected, project)
    for file, text in modules.items():
        compile(text, str(package / file), "exec")
    with files.whole_folder(package) as folder:
        for file, text in modules.items():
            (folder / file).write_text(text, encoding="utf-8")
    files.write_text(params, write.params(name, inspected, project))
    return write.summary(name, inspected)
