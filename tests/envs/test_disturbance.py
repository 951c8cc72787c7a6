import numpy as np

from sayact.envs.language_table.disturbance import Disturbance


def test_disturbance(rng: np.random.Generator) -> None:
    still = Disturbance(0.0, rng)
    assert all((still() == 0).all() for _ in range(20))
    noisy = Disturbance(0.1, rng)
    lengths = np.array([np.hypot(*noisy()) for _ in range(2000)])
    kicked = (lengths > 0.012).mean()
    assert 0.1 < kicked < 0.6
    assert lengths.max() < 0.05
