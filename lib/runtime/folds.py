"""Where a row belongs by a hash of its values: rows that are alike belong together."""

import numpy as np
import pandas as pd

from . import schema


def places(rows: pd.DataFrame, seed: int | None) -> np.ndarray:
    """For each row a number from 0 to 1 that its values and the seed decide, evenly spread."""
    marks = schema.marks(rows, schema.kinds(rows))
    mixed = pd.util.hash_array(marks ^ np.random.default_rng(seed).integers(2**64, dtype=np.uint64))
    return (mixed >> np.uint64(11)) / 2.0**53
