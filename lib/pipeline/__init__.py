"""What runs the notebooks: parameters, plan, kernels, run, report. Nothing outside this package imports it.

`python -m lib.pipeline run` is what `make pipeline` calls. Starting it costs the standard library and
YAML alone; papermill, nbconvert and MLflow are imported where there is something to run.
"""
