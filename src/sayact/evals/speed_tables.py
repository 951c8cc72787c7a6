"""What `sayact bench rt1` found, as tables for the terminal and for results/."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from sayact.evals.markdown import table_lines

RULE = (
    "the operations that a step must run at the rate of the fastest matrix product in float32 or "
    "bfloat16, the precisions that both networks can be computed in"
)
HEADINGS = ("ms a step", "best", "CPU ms", "× roof", "same tokens %", "error %", "peak MB")
# What this project set out to reach for the released network on two cores.
GOAL_MS, GOAL_ROOFS = 25.0, 3.0
PAPER_SPEEDUPS = "2.4 and 1.7"  # RT-1 section 5.1: of TokenLearner, and of keeping tokens


def terminal_tables(found: dict[str, Any]) -> list[Table]:
    """For people at the prompt."""
    tables: list[Table] = []
    for part in _parts(found):
        title, caption = escape(part["policy"]), _roofline(part)
        table = Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=0)
        table.add_column("")
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        for row in part["rows"]:
            table.add_row(_title(row), *_cells(row))
        tables.append(table)
    return tables


def markdown_tables(found: dict[str, Any]) -> str:
    """For results/: the same numbers, and where they come from."""
    lines: list[str] = []
    for part in _parts(found):
        frames = f", {part['frames']} frames of its own episodes" if "frames" in part else ""
        lines += [f"**{part['policy']}{frames}**", ""]
        rows = [[_title(row), *_cells(row)] for row in part["rows"]]
        lines += table_lines(["engine", *HEADINGS], rows)
        lines += ["", _roofline(part), ""]
        for row, why in part["skipped"].items():
            lines += [f"Not run: {row}: {why}", ""]
    if "accuracy" in found:  # the released network was measured
        lines += [_goal(found), ""]
    for row in found.get("speedups", ()):
        lines += [
            f"{row['engine']} {row['precision']}: TokenLearner makes a step "
            f"{row['token_learner']:.1f} × faster, keeping tokens another {row['cache']:.1f} × "
            f"(the paper: {PAPER_SPEEDUPS}).",
            "",
        ]
    lines.append(f"{_where(found)} `{found['command']}`.")
    return "\n".join(lines) + "\n"


def short_table(found: dict[str, Any]) -> str:
    """For the README: every engine on the network as it is published."""
    headings = ["engine", "ms a step", "× roofline", "same tokens %", "peak MB"]
    lowest, rows = found["roofline_ms"], list[list[str]]()
    for row in _published(found):
        milliseconds, *_, same, _, megabytes = _cells(row)
        ratio = f"{row['ms_per_step'] / lowest:.1f}"
        rows.append([_title(row), f"**{milliseconds}**", ratio, same, megabytes])
    lines = [
        *table_lines(headings, rows),
        "",
        "A control step of the 35 M network: a 256 × 320 picture to eleven numbers, median, drawn "
        f"weights. Roofline: {lowest:.1f} ms, {RULE}. {_where(found)}",
    ]
    return "\n".join(lines) + "\n"


def _where(found: dict[str, Any]) -> str:
    return (
        f"{found['hardware']}, {found['threads']} threads; commit `{found['commit']}`, "
        f"{found['date'][:10]}."
    )


def _parts(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures of one policy, and those of a second where there is one."""
    return [found, *([found["accuracy"]] if "accuracy" in found else [])]


def _title(row: dict[str, Any]) -> str:
    title = f"{row['engine']} {row['precision']}"
    title += "" if row["cache"] else ", no cache"
    return title + ("" if row["token_learner"] else ", no TokenLearner")


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['ms_per_step']:.1f}",
        f"{row['best_ms']:.1f}",
        f"{row['cpu_ms']:.1f}",
        f"{row['ms_per_step'] / row['roofline_ms']:.1f}",
        f"{100 * row['token_agreement']:.1f}",
        f"{100 * row['action_error']:.2f}",
        f"{row['peak_mb']:.0f}",
    ]


def _roofline(part: dict[str, Any]) -> str:
    """The roofline in words: its rule, what it is made of, and how near the fastest comes."""
    rates = ", ".join(f"{rate:.0f} in {name}" for name, rate in part["rates_gflops"].items())
    flops, lowest = part["gflops"], part["roofline_ms"]
    fastest = _fastest(part)
    return (
        f"Roofline {lowest:.1f} ms: {RULE}. {flops['image']:.2f} GFLOP of the image network, "
        f"{flops['transformer']:.2f} of the transformer; matrix products in GFLOP/s: {rates}. "
        f"The fastest, {_title(fastest)}, takes {fastest['ms_per_step'] / lowest:.1f} × as long."
    )


def _goal(found: dict[str, Any]) -> str:
    """Which of the two that matter reach what was wanted."""
    best = [row for row in _published(found) if _title(row) == "openvino bfloat16"]
    verdicts = {}
    for row in [_fastest(found), *best]:
        roofs = row["ms_per_step"] / found["roofline_ms"]
        fast, near = row["ms_per_step"] <= GOAL_MS, roofs <= GOAL_ROOFS
        verdicts[_title(row)] = (
            f"{_title(row)} takes {row['ms_per_step']:.1f} ms ({_met(fast)}) and {roofs:.1f} × the "
            f"roofline ({_met(near)})"
        )
    return (
        f"Goal: at most {GOAL_MS:.0f} ms a step, and at most {GOAL_ROOFS:.0f} × the roofline, on "
        f"two cores. {'; '.join(verdicts.values())}."
    )


def _met(reached: bool) -> str:
    return "met" if reached else "not met"


def _published(part: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the network as it is."""
    return [row for row in part["rows"] if row["cache"] and row["token_learner"]]


def _fastest(part: dict[str, Any]) -> dict[str, Any]:
    return min(_published(part), key=lambda row: row["ms_per_step"])
