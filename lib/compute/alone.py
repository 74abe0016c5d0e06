"""A kernel that the fork server has no part in: `python -m lib.compute.alone FOLDER… -- WORD…`."""

import sys
from pathlib import Path

from lib import compute

if __name__ == "__main__":
    end = sys.argv.index("--")
    compute.end_with_holder([Path(word) for word in sys.argv[1:end]])
    compute.run_kernel(sys.argv[end + 1 :])
