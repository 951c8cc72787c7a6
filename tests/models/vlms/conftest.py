"""One folder of every tiny backbone, made once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from sayact.testing.tiny_backbones import save_tiny_backbone


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a kind."""
    return cache(lambda kind: save_tiny_backbone(kind, tmp_path_factory.mktemp("vlm") / kind))
