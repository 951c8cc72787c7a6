"""The tables of `meta/`: which episodes there are, and which sentences."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sayact.data.layout import TASKS_PATH
from sayact.schema.errors import BrokenDatasetError


def episodes_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """One file of `meta/episodes`, column order and types as lerobot 0.6.1 writes them.

    Ours besides: "sayact/success" and "sayact/info" (JSON: seed, family and the like).
    """
    columns: dict[str, pa.Array] = {}
    for key in rows[0]:
        values = [row[key] for row in rows]
        if key == "stats":
            columns |= _stats_columns(values)
        elif key == "sayact/info":
            columns[key] = pa.array([json.dumps(v, sort_keys=True) for v in values], pa.string())
        else:
            columns[key] = pa.array(values, _type_of(key))
    return pa.table(columns)


def _type_of(key: str) -> pa.DataType:
    if key == "tasks":
        return pa.list_(pa.field("element", pa.string()))
    if key == "sayact/success":
        return pa.bool_()
    return pa.float64() if key.endswith("_timestamp") else pa.int64()


def _stats_columns(values: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, pa.Array]:
    """Figures of each episode and column: lists, three deep for pictures."""
    columns: dict[str, pa.Array] = {}
    for feature, figures in values[0].items():
        for name, figure in figures.items():
            kind = pa.int64() if name == "count" else pa.float64()
            depth = _depth(figure)
            for _ in range(depth):
                kind = pa.list_(pa.field("element", kind))
            columns[f"stats/{feature}/{name}"] = pa.array(
                [value[feature][name] for value in values], kind
            )
    return columns


def _depth(figure: Any) -> int:
    return 1 + _depth(figure[0]) if isinstance(figure, list) else 0


def read_episode_rows(directory: Path) -> list[dict[str, Any]]:
    """All rows of `meta/episodes` but their figures, in episode order; empty if there are none."""
    rows: list[dict[str, Any]] = []
    for path in sorted((directory / "meta/episodes").glob("*/*.parquet")):
        names = [n for n in parquet_schema(path).names if not n.startswith("stats/")]
        for row in read_parquet(path, names).to_pylist():
            if "sayact/info" in row:
                row["sayact/info"] = json.loads(row["sayact/info"])
            rows.append(row)
    return sorted(rows, key=lambda row: row["episode_index"])


def tasks_table(tasks: Mapping[str, int]) -> pa.Table:
    """`meta/tasks.parquet`: a pandas frame whose index is the sentence."""
    described = {
        "index_columns": ["task"],
        "column_indexes": [
            {
                "name": None,
                "field_name": None,
                "pandas_type": "unicode",
                "numpy_type": "object",
                "metadata": {"encoding": "UTF-8"},
            }
        ],
        "columns": [
            _pandas_column("task_index", "int64", "int64"),
            _pandas_column("task", "unicode", "object"),
        ],
        "attributes": {},
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.3.3",
    }
    table = pa.table(
        {
            "task_index": pa.array(list(tasks.values()), pa.int64()),
            "task": pa.array(list(tasks), pa.string()),
        }
    )
    return table.replace_schema_metadata({"pandas": json.dumps(described)})


def _pandas_column(name: str, pandas_type: str, numpy_type: str) -> dict[str, Any]:
    return {
        "name": name,
        "field_name": name,
        "pandas_type": pandas_type,
        "numpy_type": numpy_type,
        "metadata": None,
    }


def read_tasks(directory: Path) -> dict[str, int]:
    """Sentence -> task_index, in order; empty if there are none yet."""
    path = directory / TASKS_PATH
    if not path.exists():
        return {}
    rows = read_parquet(path).to_pylist()
    return {r["task"]: r["task_index"] for r in sorted(rows, key=lambda r: r["task_index"])}


def parquet_schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise BrokenDatasetError(f"{path}: not readable as parquet ({error})") from error


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A parquet file; a truncated one is named."""
    try:
        return pq.ParquetFile(path).read(columns=list(columns) if columns else None)
    except (pa.ArrowException, OSError) as error:
        raise BrokenDatasetError(f"{path}: not readable as parquet ({error})") from error
