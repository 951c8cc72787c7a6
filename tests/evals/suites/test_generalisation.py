"""Each suite differs from the demonstrations in what its name says, and in nothing else."""

import numpy as np
import pytest
from robot_words import ROBOT_BLOCKS, robot_sentences

from sayact.envs.language_table.blocks import BLOCKS, COLORS, SHAPES, color_of, shape_of
from sayact.envs.language_table.camera import OFFICIAL, PICTURE, project
from sayact.envs.language_table.setting import EFFECTORS, PLAIN, Look, Table
from sayact.envs.language_table.start import Start
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.suite import starts


def some(name: str, episodes: int = 12) -> list[Start]:
    return starts(SUITES[name], seed=0, episodes=episodes)


def test_seen_is_what_demonstrations_show_and_say() -> None:
    for start in some("seen"):
        assert set(start.blocks) == set(ROBOT_BLOCKS)
        assert start.task.instruction in robot_sentences()
        assert start.setting == PLAIN


def test_easy_objects_are_new_combinations_of_known_parts() -> None:
    for start in some("objects_easy"):
        assert set(start.blocks) == set(BLOCKS) - set(ROBOT_BLOCKS)
        assert start.setting == PLAIN


def test_hard_objects_have_no_known_part() -> None:
    found = set[str]()
    for start in some("objects_hard"):
        assert len(start.blocks) == 8
        assert not {color_of(block) for block in start.blocks} & set(COLORS)
        assert not {shape_of(block) for block in start.blocks} & set(SHAPES)
        assert start.setting == PLAIN
        found |= set(start.blocks)
    assert len(found) > 30, "colours and shapes meet in many ways"


@pytest.mark.parametrize("name", ["backgrounds_easy", "backgrounds_hard"])
def test_backgrounds_change_the_look_alone(name: str) -> None:
    for start in some(name):
        setting, plain = start.setting, Look()
        assert start.task.instruction in robot_sentences()
        assert set(start.blocks) == set(ROBOT_BLOCKS)
        assert (setting.view, setting.table, setting.effector) == (OFFICIAL, Table(), EFFECTORS[0])
        assert not setting.tiles
        assert setting.look.board != plain.board
        hard = name == "backgrounds_hard"
        assert (setting.look.board_texture is not None) == hard
        assert setting.look.shadows == hard
        assert (setting.look.light_from != plain.light_from) == hard
        assert (setting.look.effector, setting.look.arm) == (plain.effector, plain.arm)


@pytest.mark.parametrize(("name", "least"), [("environments_easy", 2), ("environments_hard", 8)])
def test_environments_move_the_camera_and_keep_the_table_in_the_picture(
    name: str, least: float
) -> None:
    for start in some(name):
        setting = start.setting
        assert start.task.instruction in robot_sentences()
        assert setting.look == Look()
        assert (setting.table != Table()) == (name == "environments_hard")
        assert (setting.effector != EFFECTORS[0]) == (name == "environments_hard")
        blocks = np.array([pose[:2] for pose in start.blocks.values()])
        seen, usual = project(blocks, view=setting.view), project(blocks)
        assert np.linalg.norm(seen - usual, axis=1).max() > least, "pixels"
        assert ((seen > 0) & (seen < (PICTURE[1], PICTURE[0]))).all()


@pytest.mark.parametrize("count", [0, 2, 5, 9])
def test_distractors_are_strangers_around_two_known_blocks(count: int) -> None:
    for start in some(f"distractors_{count}"):
        known = set(start.blocks) & set(ROBOT_BLOCKS)
        assert len(known) == 2
        assert len(start.blocks) == 2 + count
        assert set(start.task.blocks()) <= known
        assert start.task.instruction in robot_sentences()
        assert start.setting == PLAIN
