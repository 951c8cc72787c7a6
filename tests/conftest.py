from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "golden" / "rt1"


def pytest_addoption(parser: pytest.Parser) -> None:
    """tests/parity runs on any seed whose fixtures one has; those of seed A come with the tests."""
    group = parser.getgroup("parity with the released RT-1")
    group.addoption(
        "--parity-fixtures",
        type=Path,
        default=GOLDEN,
        metavar="DIR",
        help="folder of fixture_SEED.npz, fixture_trainbn_SEED.npz and fixture_jax_SEED.npz",
    )
    group.addoption(
        "--parity-seed", default="A", metavar="SEED", help="which of them; what weights start from"
    )


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
