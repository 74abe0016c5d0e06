"""The command line of the workbook, `python -m lib.cli`: make's targets are aliases of its commands.

One boundary where an error becomes one line, and one set of exit codes: 0 done, 1 a step or a check failed,
2 refused, 130 interrupted. What a command needs is imported when it is called.
"""

import gc

gc.set_threshold(50_000)  # a start makes that many objects and drops few: no use in looking for circles
