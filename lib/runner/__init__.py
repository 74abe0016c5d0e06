"""What runs the notebooks: parameters, plan, kernels, run, report. Only `lib.cli` imports it.

`python -m lib.cli pipeline` is what `make pipeline` calls. Starting it imports no library that is slow to
load; papermill, nbconvert and MLflow are imported where there is something to run.
"""

import sys

# jsonschema would load a grammar of URIs, in a second or more, for formats that notebooks do not have
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
