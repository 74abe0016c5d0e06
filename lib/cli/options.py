"""`make options`: what can be said in the parameters of a problem, printed."""

from lib import files, redaction
from lib.notebook_source import problems
from lib.paths import Project
from lib.runner import plan, terminal


def show(wishes: plan.Wishes, project: Project) -> int:
    """Print options, feature sets and families of the problem that the parameters file names."""
    from lib.problem import load  # defaults may be constants of the problem's own module
    from lib.runtime import models

    request = plan.ask(wishes, project)
    problem, given = request.problem, redaction.redact(request.parameters.values["options"])
    dataset = load(problem)
    rows = [["option", "value", "default", "type", "meaning"]]
    for option in problems.options(problems.training(project, problem)).values():
        default = files.plain(getattr(dataset.options, option.name))
        value = given.get(option.name, default)
        rows.append([f"options.{option.name}", str(value), str(default), option.type, option.meaning])
    print(f"{problem}, with {request.parameters.file}:\n")
    print("\n".join(terminal.table(rows)))
    print("\nfeature_set: which columns a model sees\n")
    print("\n".join(terminal.table([[name, "", one.why] for name, one in dataset.feature_sets.items()])))
    print("\nmodels: the families that can be searched\n")
    families = [family for family in models.ZOO.values() if dataset.task in family.tasks]
    print("\n".join(terminal.table([[family.name, "", family.about] for family in families])))
    return 0
