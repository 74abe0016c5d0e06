"""`make options`: what can be said in the parameters of a problem, printed."""

from lib import notebook_source
from lib.paths import Project
from lib.runner import plan, terminal


def show(wishes: plan.Wishes, project: Project) -> int:
    """Print options, feature sets and families of the problem that the parameters file names."""
    request = plan.ask(wishes, project)
    problem, given = request.problem, request.parameters.values["options"]
    rows = [["option", "value", "type", "meaning"]]
    for option in notebook_source.options(notebook_source.problem(project, problem)).values():
        value = given.get(option.name, option.default)
        value = list(value) if isinstance(value, tuple) else value
        rows.append([f"options.{option.name}", str(value), option.type, option.meaning])
    print(f"{problem}, with {request.parameters.file}:\n")
    print("\n".join(terminal.table(rows)))

    from lib.problem import load  # what follows stands in the problem's own objects
    from lib.runtime import models

    dataset = load(problem)
    print("\nfeature_set: which columns a model sees\n")
    print("\n".join(terminal.table([[name, "", one.why] for name, one in dataset.feature_sets.items()])))
    print("\nmodels: the families that can be searched\n")
    families = [family for family in models.ZOO.values() if dataset.task in family.tasks]
    print("\n".join(terminal.table([[family.name, "", family.about] for family in families])))
    return 0
