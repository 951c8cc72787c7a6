"""Every recipe can be found, fits its own pieces together, and runs from nothing to a policy."""

import json

import numpy as np
import pytest

import sayact
from sayact import experiments
from sayact.codecs import ImageCodec
from sayact.envs.language_table.tasks import FAMILIES
from sayact.experiments.recipe import run, tiny
from sayact.schema import Observation
from sayact.schema.errors import UnknownNameError
from sayact.train.log import read_log


@pytest.mark.parametrize("name", experiments.names())
class TestEveryRecipe:
    def test_is_found_under_its_own_name(self, name):
        assert experiments.find(name).name == name

    def test_reads_the_pictures_that_the_world_gives(self, name):
        recipe = experiments.find(name)
        assert isinstance(recipe.images, ImageCodec)
        assert recipe.images.camera == (180, 320)
        assert recipe.model.picture in (recipe.images.crop, (300, 300))  # else resized for nothing

    def test_rounds_reach_the_last_step_in_order(self, name):
        recipe = experiments.find(name)
        ends = [r.until for r in recipe.rounds]
        assert ends == sorted(ends)
        assert ends[-1] == recipe.train.steps
        assert not recipe.rounds[0].follow
        assert set(recipe.families) | set(recipe.watch_families) <= set(FAMILIES)


def test_unknown_recipe_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="rt1_language_table"):
        experiments.find("rt1_langage_table")


def test_tiny_run_goes_from_nothing_to_a_policy_that_acts(tmp_path, rng):
    """Two rounds: demonstrations, then the policy's own states; the checkpoint acts alone."""
    recipe = tiny(experiments.find("rt1_language_table"))
    checkpoint = run(recipe, out=tmp_path, workers=1)
    policy = sayact.load_policy(checkpoint)
    picture = rng.integers(0, 256, (180, 320, 3), dtype=np.uint8)
    action = policy.act(Observation(image=picture, instruction="push the red moon up"))
    assert np.isfinite(action.values).all()
    assert (tmp_path / "first_batch.png").stat().st_size > 1000
    rows = read_log(tmp_path)
    assert rows[-1]["step"] == recipe.train.steps
    assert any(key.startswith("success/") for row in rows for key in row)
    assert json.loads((tmp_path / "recipe.json").read_text())["name"] == "rt1_language_table"
    again = run(recipe, out=tmp_path, workers=1, resume=True)
    assert again == checkpoint
    assert read_log(tmp_path) == rows
