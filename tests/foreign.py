"""Programs that others published, unchanged, each in an environment of its own.

They pin what we do not (openpi-client wants numpy below 2), so they cannot be installed beside us.
An environment is made once and kept in pytest's cache; `make clean` throws it away.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

INSTALL_S = 300.0  # downloads included; some 10 s where the network is good


def interpreter(cache: pytest.Cache, *requirements: str, beside_us: bool = False) -> Path:
    """The python of an environment with these; skips the test where they cannot be installed.

    beside_us: it sees our own environment too, and only what is missing there is installed.
    """
    folder = Path(cache.mkdir(re.sub(r"[^\w.]+", "-", requirements[0])))
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        shutil.rmtree(folder)
        venv.create(folder, with_pip=True)
        if beside_us:
            (packages,) = folder.glob("lib/python*/site-packages")
            ours = sysconfig.get_path("purelib")
            (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
        # PIP_ARGS as `make test PIP_ARGS=…` was given them.
        words = shlex.split(os.environ.get("PIP_ARGS", ""))
        command = [str(python), "-m", "pip", "install", "--quiet", *words, *requirements]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_S)
        except subprocess.SubprocessError as problem:
            said = getattr(problem, "stderr", None) or str(problem)
            pytest.skip(f"{requirements[0]} cannot be installed here: {str(said).strip()[-300:]}")
        done.write_text(sys.version)
    return python


def run(python: Path, program: Path, *arguments: object, seconds: float = 60.0) -> str:
    """What the program prints; its failure is the test's."""
    ran = subprocess.run(
        [str(python), str(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
