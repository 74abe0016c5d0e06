"""MLflow's tables in a database of SQLite: what is read and mended there without MLflow.

The one place that knows the schema. MLflow takes seconds to import, and has no call for some of this; what it
has calls for is in `lib.tracking` and `lib.registry`. Standard library only.
"""

import contextlib
from pathlib import Path

#: A version of a registered model, by number or by alias: number, digest, where its files are.
_VERSION = """
SELECT version.version, tag.value, version.source FROM model_versions AS version
LEFT JOIN model_version_tags AS tag
ON tag.name = version.name AND tag.version = version.version AND tag.key = 'workbook.digest'
WHERE version.name = :name AND version.current_stage != 'Deleted_Internal' AND (
  version.version = :which OR
  version.version = (SELECT version FROM registered_model_aliases WHERE name = :name AND alias = :which)
)
"""
#: The columns that keep an absolute address of artifacts.
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def version(database: Path, name: str, which: str) -> tuple[int, str | None, str] | None:
    """The number, digest and source of a version, given by its number or an alias; None if it is not there.

    Raises `sqlite3.Error` where the file is no database of MLflow's.
    """
    import sqlite3

    with contextlib.closing(sqlite3.connect(database)) as opened:
        row = opened.execute(_VERSION, {"name": name, "which": which}).fetchone()
    return (int(row[0]), row[1], str(row[2] or "")) if row else None


def move(database: Path, here: str) -> None:
    """Have every address of an artifact begin with `here`, a URI, if the database was made elsewhere.

    Raises `sqlite3.Error` where the file is no database of MLflow's, or may not be written.
    """
    import sqlite3

    with contextlib.closing(sqlite3.connect(database, timeout=30)) as opened, opened:
        row = opened.execute("SELECT artifact_location FROM experiments WHERE experiment_id = 0").fetchone()
        there, ours, _ = (row[0] if row else "").rpartition("/mlartifacts/0")
        if ours and f"{there}/mlartifacts" != here:
            for table, column in _ADDRESSES:
                opened.execute(
                    f"UPDATE {table} SET {column} = :here || substr({column}, :length) "  # noqa: S608 - ours
                    f"WHERE {column} LIKE :there || '/%'",
                    {"here": here, "there": f"{there}/mlartifacts", "length": len(there) + 13},
                )
