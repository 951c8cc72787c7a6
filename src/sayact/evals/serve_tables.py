"""What `sayact bench serve` found, as tables for the terminal and for results/."""

from typing import Any

from rich.table import Table

from sayact.evals.markdown import table_lines
from sayact.evals.terminal import named_rows

WIRE = ("a step of one robot", "kB", "round trip ms", "inference ms", "wire ms", "wire p99 ms")
CROWD = ("robots", "actions/s", "median ms", "p99 ms")
# What this project set out to reach for a JPEG picture of 320 × 180.
GOAL_MEDIAN_MS, GOAL_P99_MS = 3.0, 8.0


def terminal_tables(found: dict[str, Any]) -> list[Table]:
    """For people at the prompt."""
    wire = named_rows("what the wire costs", WIRE, map(_wire_cells, found["overhead"]))
    title = f"{found['serving']}: actions a second, and the time of each"
    crowd = named_rows(title, ("server", *CROWD), map(_crowd_cells, found["throughput"]))
    return [wire, crowd]


def markdown_tables(found: dict[str, Any]) -> str:
    """For results/: the same numbers, and where they come from."""
    servers = list(dict.fromkeys(row["server"] for row in found["throughput"]))
    cells = {(row["server"], row["robots"]): row for row in found["throughput"]}
    numbers = sorted({row["robots"] for row in found["throughput"]})
    rows = [[str(n), *(_cell(cells[server, n]) for server in servers)] for n in numbers]
    told = (
        f"Pictures of 320 × 180; JPEG of quality {found['jpeg_quality']}; "
        f"{found['effort']['steps']} steps a row above, {found['effort']['seconds']:g} s a cell "
        f"below. {found['hardware']}; commit `{found['commit']}`, {found['date'][:10]}; "
        f"`{found['command']}`."
    )
    lines = [
        *table_lines(WIRE, map(_wire_cells, found["overhead"])),
        "",
        _goal(found),
        "",
        f"**{found['serving']}, actions a second (median ms, p99 ms of each)**",
        "",
        *table_lines(["robots", *servers], rows),
        "",
        told,
    ]
    return "\n".join(lines) + "\n"


def _wire_cells(row: dict[str, Any]) -> tuple[str, ...]:
    server = "" if row["server"] == "sayact" else f"{row['server']}: "
    return (
        f"{server}{row['policy']}, {row['picture']}",
        f"{row['kilobytes']:.0f}",
        f"{row['round_trip_ms']:.2f}",
        f"{row['infer_ms']:.2f}",
        f"{row['median_ms']:.2f}",
        f"{row['p99_ms']:.2f}",
    )


def _crowd_cells(row: dict[str, Any]) -> tuple[str, ...]:
    numbers = row["actions_per_second"], row["median_ms"], row["p99_ms"]
    return (row["server"], str(row["robots"]), *(f"{number:.0f}" for number in numbers))


def _cell(row: dict[str, Any]) -> str:
    rate, median, p99 = row["actions_per_second"], row["median_ms"], row["p99_ms"]
    return f"{rate:.0f} ({median:.0f}, {p99:.0f})"


def _goal(found: dict[str, Any]) -> str:
    """Whether what was wanted is reached, policy by policy."""
    rows = [row for row in found["overhead"] if row["picture"] == "JPEG"]
    verdicts = [
        f"{row['policy']} {row['median_ms']:.2f} ms ({_met(row['median_ms'] <= GOAL_MEDIAN_MS)}) "
        f"and {row['p99_ms']:.2f} ms ({_met(row['p99_ms'] <= GOAL_P99_MS)})"
        for row in rows
    ]
    return (
        f"Goal for a JPEG: at most {GOAL_MEDIAN_MS:g} ms of wire at the median and "
        f"{GOAL_P99_MS:g} ms at p99: {'; '.join(verdicts)}."
    )


def _met(reached: bool) -> str:
    return "met" if reached else "not met"
