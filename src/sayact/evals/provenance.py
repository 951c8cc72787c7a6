"""Where a number comes from: version, commit, command, machine."""

import os
import platform
import re
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit


def provenance() -> dict[str, str]:
    """What every result file says about itself."""
    return {
        "version": package_version(),
        "commit": commit(),
        "command": command(),
        "hardware": hardware(),
    }


def package_version() -> str:
    try:
        return version("sayact")
    except PackageNotFoundError:
        return "unknown"


def commit() -> str:
    """Commit of the working copy this code runs from, `-dirty` when files changed; else unknown."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return described.stdout.strip()


def command() -> str:
    """The command line, so that it can be pasted again."""
    name = Path(sys.argv[0]).name
    if name in ("cli.py", "__main__.py"):  # python -m sayact.cli
        name = "sayact"
    return shlex.join([name, *sys.argv[1:]])


def hardware() -> str:
    """Processor and how many cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {platform.system()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def policy_title(policy: str) -> str:
    """What to call a policy: its name, of a checkpoint's path the part that a person chose, of a
    server's URL host and port. It can be a file's name."""
    if "://" in policy:
        address = urlsplit(policy).netloc.rpartition("@")[2]
        return re.sub(r"[^\w.]+", "-", address).strip("-") or "server"
    folders = [part for part in Path(policy).parts if not part.isdigit()]
    chosen = [part for part in folders if part not in ("checkpoint", "steps")]
    return (chosen or [policy])[-1]
