"""What MLflow runs to serve a model of this project (models from code): load the pipeline, predict.

This file is copied into each model folder. It is the one module that does something when it is imported,
as MLflow asks of it.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class Served(PythonModel):
    """A saved pipeline behind MLflow's face. Classes come with the likeliest one as `label`."""

    def load_context(self, context: Any) -> None:
        """Load the pipeline that lies in the model's folder, with the code that lies there too."""
        from lib import inference

        self.pipeline = inference.Pipeline.load(Path(context.artifacts["pipeline"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict | None = None) -> Any:
        """Numbers, or a frame of probabilities with the label."""
        found = self.pipeline.predict(model_input)
        if self.pipeline.about["task"] == "regression":
            return found
        return found.assign(label=found.idxmax(axis=1))


set_model(Served())
