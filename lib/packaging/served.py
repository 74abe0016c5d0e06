"""What MLflow runs to serve a model (models from code), copied into the model's folder beside `entry.py`.

It does something when it is imported, as MLflow asks of it.
"""

import runpy
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Served(PythonModel):
    """A stored pipeline behind MLflow's face. Classes come with the likeliest one as `label`."""

    def load_context(self, context: object) -> None:  # noqa: ARG002  MLflow's signature
        """Load the pipeline through the folder's own entry, which checks all that lies there."""
        folder = Path(__file__).parent
        entry = runpy.run_path(str(folder / "entry.py"))
        self.stored, self.label = entry["load"](folder), entry["label"]

    @property
    def pipeline(self) -> Any:
        """The stored pipeline itself, a fitted scikit-learn estimator of raw rows."""
        return self.stored.pipeline

    def predict(self, context: object, model_input: pd.DataFrame, params: object = None) -> Any:  # noqa: ARG002
        """Numbers, or a frame of probabilities with the label; nothing for rows that cannot be read."""
        prediction = self.stored.predict(model_input)
        if self.stored.about["task"] == "regression":
            return prediction
        known = prediction.notna().all(axis=1)
        likeliest = prediction.fillna(0).idxmax(axis=1).where(known, None)
        return prediction.assign(**{self.label(prediction): likeliest})


set_model(Served())
