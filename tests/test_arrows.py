"""Who may import whom: the rooms of the package form one direction."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"

# A room may import itself, `config` (dataclass to JSON and back) and what is named here. Imports
# inside functions and under TYPE_CHECKING count like all others.
ALLOWED: dict[str, set[str]] = {
    "schema": set(),
    "config": {"schema"},
    "codecs": {"schema"},
    "data": {"schema", "codecs"},
    "models": {"schema"},
    "policies": {"schema", "codecs", "models", "serve.light"},
    "envs": {"schema"},
    "train": {"schema", "codecs", "data", "models"},
    "web": {"schema", "envs"},
    "evals": {"schema", "codecs", "data", "policies", "envs", "web"},
    "serve.light": {"schema"},
    "serve": {"schema", "codecs", "policies", "serve.light"},
    "robots": {"schema", "data", "policies", "envs", "serve.light"},
    "play": {"schema", "codecs", "data", "policies", "envs", "evals", "robots", "serve.light"},
}
# The side of a robot in the room `serve`: no torch, no server.
LIGHT = {"wire", "messages", "link", "lasting", "client"}
# These wire the others: they may import everything.
WIRING = {"experiments", "cli", "commands", "testing", "sayact"}
SHARED = {"config"}


def imported_modules(source: str) -> Iterator[str]:
    """Full dotted names of everything in the package that this source text imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            # `from sayact import envs` is an import of the room, not of the root.
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from names if node.module == "sayact" else [node.module or ""]


def forbidden(room: str, source: str) -> list[str]:
    """The imports by which `source`, a file of `room`, breaks the rule."""
    if room in WIRING:
        return []
    allowed = ALLOWED.get(room, set()) | SHARED | {room}
    inside = [name for name in imported_modules(source) if name.split(".")[0] == "sayact"]
    return [name for name in inside if room_of_module(name) not in allowed]


def room_of_module(name: str) -> str:
    """ "sayact.schema.actions" → "schema"; the package itself is a room of its own."""
    room, *rest = [*name.split(".")[1:], ""]
    return f"{room}.light" if room == "serve" and rest[0] in LIGHT else room


def room_of(file: Path) -> str:
    parts = file.relative_to(SOURCE / "sayact").with_suffix("").parts
    return room_of_module(".".join(("sayact", *parts))) if parts[0] != "__init__" else "sayact"


FILES = sorted((SOURCE / "sayact").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_no_forbidden_arrow(file: Path) -> None:
    room = room_of(file)
    wrong = forbidden(room, file.read_text())
    assert not wrong, (
        f"{room} must not import {wrong}; it may import {sorted(ALLOWED.get(room, []))}"
    )


def test_every_room_is_listed() -> None:
    rooms = {room_of(file) for file in FILES}
    assert rooms <= set(ALLOWED) | WIRING | SHARED


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("models", "from sayact.envs.language_table.env import LanguageTableEnv"),
        ("models", "import sayact.train"),
        ("schema", "def late():\n    from sayact.codecs import Processor"),
        ("policies", "from sayact import envs"),
        ("train", "import sayact"),
    ],
)
def test_planted_arrows_are_found(room: str, source: str) -> None:
    assert forbidden(room, source)


def test_permitted_arrows_pass() -> None:
    source = "import numpy\nfrom sayact.schema import Action\nfrom sayact.config import load"
    assert not forbidden("models", source)
    assert not forbidden("experiments", "from sayact.train.loop import train")


def test_the_client_side_of_the_schema_needs_no_torch() -> None:
    """A robot's client imports the nouns only, on machines without torch."""
    light = [f for f in FILES if room_of(f) == "schema" and f.stem != "batches"]
    torchy = [
        f for f in light if any(m.split(".")[0] == "torch" for m in imported_modules(f.read_text()))
    ]
    assert light
    assert not torchy
