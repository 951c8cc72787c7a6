"""Films: whole files only, every step in them, tokens drawn where they belong."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from sayact.evals.animation import Animation
from sayact.evals.rollouts import Moment, run_episode
from sayact.evals.videos import BAND, HOLD_FRAMES, PICTURE, Recorder, draw, height
from sayact.schema import LANGUAGE_TABLE, RT1, Action
from sayact.testing import FixedPolicy, ToyWorld

GREY = np.full((180, 320, 3), 90, np.uint8)


def moment(*values: float, tokens: bool = False) -> Moment:
    ids = np.arange(len(values)) if tokens else None
    action = Action(values=np.array(values, np.float32), tokens=ids) if values else None
    return Moment(picture=GREY, instruction="push it", action=action, success=False)


def test_a_film_holds_every_step_and_the_end(tmp_path: Path) -> None:
    path = tmp_path / "films" / "walk.mp4"
    with Recorder(path, LANGUAGE_TABLE) as recorder:
        result = run_episode(
            ToyWorld(),
            FixedPolicy(0.1, 0.0),
            family="walk",
            index=0,
            seed=0,
            watch=recorder.add,
        )
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        frames = [f.to_ndarray(format="rgb24") for f in film.decode(stream)]
        assert stream.average_rate == LANGUAGE_TABLE.rate_hz
    assert len(frames) == result.steps + HOLD_FRAMES
    assert frames[0].shape == (height(LANGUAGE_TABLE), PICTURE[0], 3)
    edge = frames[-1][BAND + 2, 320].astype(int)
    assert edge[1] > edge[0] + 40, "a green border marks success"
    middle = [int(f[BAND + 180, 320, 0]) for f in frames[:3]]
    assert middle[0] < middle[1] < middle[2], "the toy world grows lighter step by step"


def test_a_plan_stands_under_the_sentence() -> None:
    plain = moment(0.0, 0.0)
    assert plain.action is not None
    planned = replace(plain, action=replace(plain.action, plan="the heart is left; push it"))
    before, after = (draw(m, LANGUAGE_TABLE, 0) for m in (plain, planned))
    changed = (before != after).any(2)
    assert changed[BAND // 2 : BAND].any()
    assert not changed[BAND:].any()


def test_a_broken_episode_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "walk.mp4"

    def stop_within() -> None:
        with Recorder(path, LANGUAGE_TABLE) as recorder:
            recorder.add(moment(0.0, 0.0))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        stop_within()
    assert list(tmp_path.iterdir()) == []


def test_the_marks_move_with_the_action() -> None:
    still, pushed = (draw(moment(x, 0.0), LANGUAGE_TABLE, 0) for x in (0.0, 0.02))
    footer = BAND + PICTURE[1]
    assert np.array_equal(still[:footer], pushed[:footer])
    assert not np.array_equal(still[footer:], pushed[footer:])


@pytest.mark.parametrize(
    ("space", "values"), [(LANGUAGE_TABLE, (np.nan, 0.0)), (RT1, (1.0,) + (0.0,) * 10)]
)
def test_odd_actions_can_be_drawn(space, values) -> None:
    picture = draw(moment(*values, tokens=True), space, 3)
    assert picture.shape == (height(space), PICTURE[0], 3)
    assert picture.shape[0] % 2 == 0, "the codec wants even sizes"


def test_films_join_to_an_animation(tmp_path: Path) -> None:
    film = tmp_path / "a.mp4"
    with Recorder(film, LANGUAGE_TABLE) as recorder:
        for _ in range(5):
            recorder.add(moment(0.01, 0.0))
    out = Animation(films=(film, film), out=tmp_path / "a.webp", every=2, speed=1.0).write()
    with Image.open(out) as picture:
        assert 1 < getattr(picture, "n_frames", 1) <= 6
        assert picture.size[0] == 480
