"""Of kernels that JupyterLab starts: a page takes an edit of `lib` without a restart.

Only Jupyter's own server names the page in JPY_SESSION_NAME. Under papermill and nbmake a page runs from the
first cell to the last on the code that was there when it began, as its record says.
"""

import os

if os.environ.get("JPY_SESSION_NAME"):
    c = get_config()  # noqa: F821 - IPython gives it to this file
    c.InteractiveShellApp.extensions = ["autoreload"]
    # before each cell, of whatever module was edited since: pages import functions by name, not modules alone
    c.InteractiveShellApp.exec_lines = ["%autoreload 2"]
