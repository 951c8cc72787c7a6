"""What a suite's version stands for: a digest of its first starts, pictures of plates included.

    python -m sayact.evals.suites.digest tests/evals/suites/versions.json    writes the file anew

Results of one version are comparable. So a list that changed needs a new version: where the digest
is another and the version is not, a test fails and nothing is written. (Another FreeType paints a
letter's edge otherwise; that, too, is another list.)
"""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.suite import Suite, starts
from sayact.schema.errors import SayactError

DIGESTED = 14  # starts: every turn of families, languages and kinds is among them
DECIMALS = 9  # of metres and radians: the last bits of a sine differ between machines

Versions = Mapping[str, Mapping[str, Any]]  # name -> {"version", "digest"}


def digest(suite: Suite) -> str:
    """sha256 of the first starts of seed 0."""
    text = json.dumps(
        [plain(start) for start in starts(suite, seed=0, episodes=DIGESTED)], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """As JSON writes it; a picture is told by its own digest, a task by its kind as well.

    What is at its default is left out, so that a new field changes no digest.
    """
    if is_dataclass(value) and not isinstance(value, type):
        told = {
            field.name: plain(getattr(value, field.name))
            for field in fields(value)
            if field.default is MISSING or getattr(value, field.name) != field.default
        }
        return {"kind": type(value).__name__, **told}
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return round(value, DECIMALS)
    return value


def found() -> Versions:
    """Versions and digests as the code has them now."""
    return {
        name: {"version": suite.version, "digest": digest(suite)} for name, suite in SUITES.items()
    }


def changed_without_version(before: Versions, now: Versions) -> list[str]:
    """The suites whose list is another under the same version."""
    return [
        name
        for name, suite in now.items()
        if name in before
        and before[name]["version"] == suite["version"]
        and before[name]["digest"] != suite["digest"]
    ]


def main(arguments: Sequence[str]) -> int:
    """Writes the versions down, unless one of them says less than it should."""
    (name,) = arguments
    file, now = Path(name), found()
    before = json.loads(file.read_text()) if file.exists() else {}
    changed = changed_without_version(before, now)
    if changed:
        raise SayactError(
            f"the starts of {', '.join(changed)} changed; give them a new version in "
            "sayact.evals.suites first."
        )
    file.write_text(json.dumps(now, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
