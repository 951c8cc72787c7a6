"""From an arm and a plan to a recipe that `experiments.runs` or `experiments.rt2_runs` can run."""

from collections.abc import Mapping
from dataclasses import replace

from sayact.experiments import rt1_language_table, rt2_language_table, rt2_web_pretraining
from sayact.experiments.episodes import Chosen
from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.networks import RT1_SIZES, RT2_SIZES, TINY_EYES
from sayact.experiments.papers.plan import Plan
from sayact.experiments.recipe import Recipe, Round
from sayact.experiments.recipe import tiny as tiny_rt1
from sayact.experiments.rt2_recipe import ROBOT, ROBOT_QUESTIONS, WEB, Phase, RT2Recipe, Web
from sayact.experiments.rt2_recipe import tiny as tiny_rt2
from sayact.models.vlms.nano_config import NanoConfig
from sayact.train import TrainConfig

QUESTIONS_SHARE = 0.05  # of a batch, about the robot's own frames, as in rt2_language_table
SINGLE_SHARE = 8 / 11  # of RT-1's steps, on single frames, as in rt1_language_table
CHECKPOINTS = 500  # steps between two of them: what a kill costs at most
# Hardly anything but where things are; what goes on from a web stage has a gentler rate.
POINTING: Mapping[str, float] = {
    "pointing": 0.5,
    "plan": 0.4,
    "naming": 0.03,
    "effector": 0.03,
    "attribute": 0.02,
    "relation": 0.02,
}
GROUNDING_RATE, GROUNDING_FINAL_SHARE = 6e-4, 0.1


def recipe_of(arm: Arm, plan: Plan) -> Recipe | RT2Recipe:
    """The arm's numbers. Arms of one tier differ in nothing but what the arm says."""
    made = _rt1(arm, plan) if arm.model == "rt1" else _rt2(arm, plan)
    if not plan.tiny:
        return made
    small = tiny_rt1(made) if isinstance(made, Recipe) else _small(tiny_rt2(made))
    return replace(small, watch_episodes=0)


def _rt1(arm: Arm, plan: Plan) -> Recipe:
    """RT-1 on demonstrations alone: the policy that is followed in rt1_language_table would give
    it data that the others do not have."""
    base, steps = rt1_language_table.RECIPE, plan.steps_of(arm)
    single = round(SINGLE_SHARE * steps) if arm.frames > 1 else steps
    return replace(
        base,
        name=arm.name,
        model=replace(RT1_SIZES[arm.size], frames=arm.frames),
        train=_schedule(base.train, plan, steps, single_frame_steps=single),
        rounds=(Round(episodes=plan.episodes, until=steps),),
        chosen=_chosen(arm, plan),
        rephrased=arm.rephrased,
        watch_episodes=0,
    )


def _rt2(arm: Arm, plan: Plan) -> RT2Recipe:
    web_alone = arm.model == "web"
    base = rt2_web_pretraining.RECIPE if web_alone else rt2_language_table.RECIPE
    steps = plan.steps_of(arm)
    phase = Phase(until=steps, mixture=_mixture(arm), episodes=0 if web_alone else plan.episodes)
    rates = (
        {"learning_rate": GROUNDING_RATE, "final_share": GROUNDING_FINAL_SHARE}
        if arm.tier == "grounding"
        else {}
    )
    return replace(
        base,
        name=arm.name,
        vlm=RT2_SIZES[arm.size],
        # What is frozen keeps its batch statistics too.
        train=_schedule(
            base.train, plan, steps, batch_norm="running" if arm.frozen else "batch", **rates
        ),
        rounds=(phase,),
        action_words=arm.words,
        web=_web(arm, plan),
        chosen=_chosen(arm, plan),
        frozen=arm.frozen,
        held_out=0,  # what it answers is not what is compared here
        watch_episodes=0,
    )


def _schedule(train: TrainConfig, plan: Plan, steps: int, **differs: object) -> TrainConfig:
    return replace(
        train,
        steps=steps,
        evaluate_every=steps,
        checkpoint_every=CHECKPOINTS,
        threads=1,  # two runs go side by side
        seed=plan.seed,
        **differs,  # type: ignore[arg-type]
    )


def _mixture(arm: Arm) -> dict[str, float]:
    if arm.model == "web":
        return {WEB: 1.0}
    if arm.robot is None:
        return {ROBOT: 1 - QUESTIONS_SHARE, ROBOT_QUESTIONS: QUESTIONS_SHARE}
    rest = 1 - QUESTIONS_SHARE - arm.robot
    return {ROBOT: arm.robot, ROBOT_QUESTIONS: QUESTIONS_SHARE, WEB: rest}


def _web(arm: Arm, plan: Plan) -> Web:
    """As many pictures for all; pages show things of the wide world, and the control has none."""
    pages = 0 if arm.objects == "robot" else plan.pages
    return Web(
        pictures=plan.pictures + plan.pages - pages,
        pages=pages,
        objects=arm.objects,
        seed=plan.seed,
        kinds=POINTING if arm.tier in ("grounding", "pointing") else None,
    )


def _chosen(arm: Arm, plan: Plan) -> Chosen:
    return Chosen(without=plan.held_out, blocks=arm.blocks, share=arm.share)


def _small(recipe: RT2Recipe) -> RT2Recipe:
    """With eyes of a few channels: what takes the time of a tiny run."""
    assert isinstance(recipe.vlm, NanoConfig)
    return replace(recipe, vlm=replace(recipe.vlm, backbone=TINY_EYES))
