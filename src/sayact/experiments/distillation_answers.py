"""What a teacher holds probable in every frame: asked once, in batches, and kept.

    frame, sentence ─▶ RT-2 ─▶ 0.02 0.61 0.30 …   of every bin of the first dimension
                               0.00 0.11 0.85 …   of the next, given its own choice for the first

    CACHE/answers-0f3a…/   answers.json   who was asked about what, and how many frames are done
                           chances.npy    float16 (N, A, V), among the bins of each dimension
                           bins.npy       int16 (N, A), the teacher's own choice
                           illegal.npy    float16 (N, A), the probability of all that is no action
                           places.npy     float16 (N, P, 2), where its first P image tokens looked

The folder's name is made of the teacher's weights and of the frames, so what it holds is never of
another teacher. A killed run goes on where answers.json says.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, Int16, Int64
from numpy.lib.format import open_memmap
from rich.console import Console
from rich.progress import track
from torch import Tensor

from sayact.codecs.action_words import ActionWords
from sayact.data.frames import FrameStore
from sayact.data.layout import replace_file
from sayact.experiments.distillation_bins import rebin
from sayact.models.checkpoint import read_json
from sayact.models.vlms.vlm import VLM
from sayact.policies.decoding import PromptBatch, decode_actions
from sayact.policies.looking import looked_at
from sayact.policies.rt2 import RT2Policy
from sayact.schema.errors import SayactError

logger = logging.getLogger(__name__)

HEAD = "answers.json"
FRAMES_AT_ONCE = 64  # enough to keep a processor busy; a batch's pictures and cache stay small
SAVE_EVERY = 16  # batches; what a kill costs


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Of N frames, read from disk row by row. V is the most bins that a dimension has.

    places: (x, y) in 0…1 of the camera's picture; P is 0 where nobody asks where it looked.
    """

    chances: Float16[np.ndarray, "N A V"]
    bins: Int16[np.ndarray, "N A"]
    illegal: Float16[np.ndarray, "N A"]
    places: Float16[np.ndarray, "N P 2"]


def ask(
    teacher: RT2Policy,
    frames: FrameStore,
    cache: Path,
    *,
    key: str,
    points: int = 0,
    progress: bool = True,
) -> Answers:
    """The teacher's answers to all frames, from the cache as far as they are there.

    `frames` are shrunk as the teacher sees them; it looks at their centre, as when it acts, and is
    asked without a plan. `key` names teacher and frames; `points` is how many of its image tokens
    shall say where they looked. Raises SayactError for a sentence that is too long for it.
    """
    prompts = _prompts(teacher, frames.tasks)
    folder = cache / f"answers-{key[:16]}"
    sizes = teacher.processor.actions.codec.sizes
    answers, done = _open(folder, key, (len(frames), len(sizes), max(sizes), points))
    starts = range(done, len(frames), FRAMES_AT_ONCE)
    shown = track(
        starts,
        f"asking the teacher about {len(frames) - done:,} frames",
        console=Console(stderr=True),
        disable=not progress or not len(starts),
    )
    for batch, start in enumerate(shown, 1):
        rows = np.arange(start, min(start + FRAMES_AT_ONCE, len(frames)))
        pictures = teacher.processor.images.model_pixels(frames.frames[rows])
        asked = [prompts[frames.tasks[episode]] for episode in frames.episode_index[rows]]
        given = PromptBatch.of(
            list(zip(pictures, asked, strict=True)),
            teacher.processor.tokenizer.pad,
            teacher.device,
        )
        chances, bins, illegal = distributions(teacher.vlm, given, teacher.processor.actions)
        for number, found in enumerate(chances):
            answers.chances[rows, number, : found.shape[1]] = found.cpu().numpy()
        answers.bins[rows] = bins.cpu().numpy()
        answers.illegal[rows] = illegal.cpu().numpy()
        if points:
            seen = looked_at(teacher.vlm, given, points).cpu().numpy()
            answers.places[rows] = teacher.processor.images.to_picture_units(seen)
        if batch % SAVE_EVERY == 0 or rows[-1] + 1 == len(frames):
            _save(folder, key, answers, int(rows[-1]) + 1)
    return answers


@torch.inference_mode()
def distributions(
    vlm: VLM, asked: PromptBatch, actions: ActionWords
) -> tuple[list[Float[Tensor, "B _"]], Int64[Tensor, "B A"], Float[Tensor, "B A"]]:
    """Of every dimension the probability of each of its bins; the chosen bins; the illegal mass.

    Each dimension is asked given the likeliest tokens of those before it, as acting goes.
    """
    chances: list[Tensor] = []
    words = [torch.tensor(ids, device=asked.tokens.device) for ids in actions.token_ids]

    def among_bins(logits: Float[Tensor, "B V"]) -> None:
        chances.append(logits[:, words[len(chances)]].float().softmax(-1))

    legal = torch.as_tensor(actions.legal(vlm.vocabulary)).to(asked.tokens.device)
    chosen = decode_actions(vlm, asked, legal, watch=among_bins)
    bins = torch.as_tensor(actions.bins(chosen.tokens.cpu().numpy()))
    return chances, bins, chosen.illegal


def fingerprint_of(teacher: RT2Policy) -> str:
    """Changes with its weights, its words and how it sees."""
    digest = hashlib.sha256()
    for name, value in sorted(teacher.vlm.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    processor = teacher.processor
    digest.update(json.dumps(processor.to_json(), sort_keys=True).encode())
    digest.update(processor.tokenizer.to_file())
    return digest.hexdigest()


def _prompts(teacher: RT2Policy, sentences: Sequence[str]) -> dict[str, list[int]]:
    """The tokens that ask for an action, of every sentence."""
    prompts = {sentence: teacher.processor.task(sentence) for sentence in set(sentences)}
    most = teacher.vlm.context - len(teacher.action_space)
    for sentence, prompt in prompts.items():
        if len(prompt) > most:
            raise SayactError(
                f"the sentence {sentence!r} makes a prompt of {len(prompt)} tokens, and the "
                f"teacher reads at most {most}; leave the episodes with it out of the data"
            )
    return prompts


def _open(folder: Path, key: str, shape: tuple[int, int, int, int]) -> tuple[Answers, int]:
    """What is there, or new files of that shape; and how many frames are done."""
    try:
        head = read_json(folder / HEAD) if (folder / HEAD).exists() else {}
        if (head.get("key"), head.get("shape")) == (key, list(shape)):
            return _files(folder, "r+", shape), int(head["done"])
    except (OSError, ValueError, KeyError, SayactError) as error:
        logger.warning("asking the teacher anew: %s", error)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEAD).unlink(missing_ok=True)
    return _files(folder, "w+", shape), 0


def _files(folder: Path, mode: str, shape: tuple[int, int, int, int]) -> Answers:
    """`shape`: frames, dimensions, bins, points."""
    frames, dimensions, bins, points = shape

    def array(name: str, kind: type, wide: tuple[int, ...]) -> np.ndarray:
        file = folder / f"{name}.npy"
        if mode == "w+":
            return open_memmap(file, mode="w+", dtype=kind, shape=wide)
        found = np.load(file, mmap_mode="r+", allow_pickle=False)
        if found.shape != wide or found.dtype != kind:
            raise ValueError(f"{file} holds something else")
        return found

    return Answers(
        chances=array("chances", np.float16, (frames, dimensions, bins)),
        bins=array("bins", np.int16, (frames, dimensions)),
        illegal=array("illegal", np.float16, (frames, dimensions)),
        # A file of no numbers cannot be mapped.
        places=array("places", np.float16, (frames, points, 2))
        if points
        else np.zeros((frames, 0, 2), np.float16),
    )


def _save(folder: Path, key: str, answers: Answers, done: int) -> None:
    """First the numbers, then how many there are."""
    for array in (answers.chances, answers.bins, answers.illegal, answers.places):
        if isinstance(array, np.memmap):
            array.flush()
    shape = [*answers.chances.shape, answers.places.shape[1]]
    head = {"key": key, "shape": shape, "done": done}
    replace_file(folder / HEAD, (json.dumps(head) + "\n").encode())


class SoftTargets:
    """Answers as a student's targets: `rows[n]` is the answer to row n of what it learns from."""

    def __init__(
        self,
        answers: Answers,
        rows: Int64[np.ndarray, "M"],
        shares: Float32[np.ndarray, "A V W"],
    ) -> None:
        self.answers, self.rows, self.shares = answers, rows, shares

    def __call__(self, rows: Int64[np.ndarray, "B T"]) -> Float32[np.ndarray, "B T A W"]:
        chances = self.answers.chances[self.rows[rows]].astype(np.float32)
        # Half precision rounds each of them; together they are one again.
        return rebin(chances / chances.sum(-1, keepdims=True), self.shares)
