"""Columns under way: rows, and what was derived from them so far."""

from typing import Any

import pandas as pd


class Columns:
    """Rows and what was derived from them so far, without a frame built anew for each column."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows, self.made = rows, {}

    def __getitem__(self, name: str) -> Any:
        return self.made[name] if name in self.made else self.rows[name]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rows, name)
