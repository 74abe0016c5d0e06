"""The exception of what is stored with a model; the rest of the project has its own in `lib.errors`."""


class InferenceError(Exception):
    """Rows, settings or a stored folder that cannot give a prediction: what was wrong, what to do."""
