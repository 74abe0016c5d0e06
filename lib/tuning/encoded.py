"""A feature set in words: what goes through which encoder, and how the columns that come out are named."""

from lib.problem import Dataset
from lib.runtime.encoders import Encoding
from lib.runtime.encoders.means import TargetMean
from lib.runtime.features import Encode, FeatureSet
from lib.wording import few


def read_features(dataset: Dataset, features: FeatureSet, generated: bool) -> str:
    """What goes through which encoder, and what of it is known only after the prediction is made."""
    lines = [f"**{features.name}**: {features.why}.", ""]
    lines += [f"- {describe(part)}" for part in features.encodes]
    late = dataset.serving.late(features.name)
    if late:
        meanings = "; ".join(f"`{name}`, {dataset.columns[name].meaning}" for name in late)
        asked = f"A prediction of {dataset.words.target} made before needs a stand-in."
        lines += ["", f"**Known only afterwards:** {meanings}. {asked}"]
    else:
        lines += ["", f"All of it is known of a {dataset.words.row} before the prediction is made."]
    if generated:
        lines += ["", "The rows of this run are generated: its figures say nothing about the world."]
    return "\n".join(lines)


def describe(part: Encode) -> str:
    """One line of a feature set in words."""
    names, settings = few((f"`{name}`" for name in part.columns), 20), part.settings
    if part.how == "target_mean":
        kinds = ", ".join(what.replace("/", " per ") for what in settings.get("of", ("target",)))
        said = f"for each of {names}: the mean of {kinds} over the other rows of the same value"
        return said + ("; how many they are" if settings.get("counts") else "")
    said = {
        "one_hot": f"{names}: a column of 0 and 1 for each value that was seen",
        "number": f"{names}, as numbers",
        "ordinal": f"{names}: the place of the value among those that were seen",
        "days_before": f"{names}: days before the latest one of the training rows",
        "tfidf": f"{names}: its commonest words, each weighed by how rare it is",
    }[part.how]
    if settings.get("impute") is not None:
        said += f", what is missing as {settings['impute']}"
    if "words" in settings:
        said += f" ({settings['words']} words)"
    return said + (", scaled" if settings.get("scale") else "")


def legend(encoding: Encoding) -> str:
    """How the encoded columns are named; of target means, whose names say too little, each kind by itself."""
    means = [encoder for _, encoder in encoding.encoders_ if isinstance(encoder, TargetMean)]
    if not means:
        return (
            "These names explain themselves: that of the raw column alone, or of one of its values "
            "(`column=value`), or of a word in it (`column: word`)."
        )
    key = means[0].columns_[0]
    meanings = {
        f"target by {key}": "the mean target of the other training rows of that value",
        f"rows by {key}": "how many other rows had it",
    }
    for what in means[0].of:
        top, _, bottom = what.partition("/")
        if bottom:
            meanings[f"{what} by {key}"] = f"the mean there of {top} per {bottom}"
        elif top != "target":
            meanings[f"{top} by {key}"] = f"the mean {top} there"
    for _, label, column in means[0].held_against():
        at_pace = label.startswith("target at")
        meanings[f"{label} by {key}"] = (
            f"what the usual pace there makes of this row's {column}"
            if at_pace
            else f"this row's {column} over the mean there"
        )
    there = set(encoding.get_feature_names_out())
    lines = [f"- `{name}`: {meaning}" for name, meaning in meanings.items() if name in there]
    return "\n".join([f"How to read the names of the means, with `{key}`:", "", *lines])
