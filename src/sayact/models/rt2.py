"""RT-2 (arXiv 2307.15818): a vision-language model that says actions, whatever its backbone.

    robot   picture, "Q: what action should the robot take to push the red moon up? A:" ─▶ 128 91 ⏎
    web     picture, "Q: where is the purple heart? A:"                        ─▶ <loc20> <loc41> ⏎

Both stand in every batch and are learned alike: cross-entropy on the answer's tokens and on nothing
else (section 3.2). What a token means does not matter here, with one exception: tokens that stand
for neighbouring numbers may be told to be neighbours (`SoftRange`).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from sayact.models.losses import Losses, mean_of, pointing_loss
from sayact.models.trainable import Trainable
from sayact.models.vlms.vlm import VLM
from sayact.schema.batches import TextBatch


@dataclass(frozen=True, kw_only=True)
class SoftRange:
    """Tokens `ids` stand for numbers in a row, in this order.

    Their target is a Gaussian of `sigma` numbers about the right one. `sources`: only in examples
    of these, since the word 3 may be an action here and the answer to a sum there; None: in all.
    """

    ids: tuple[int, ...]
    sigma: float
    sources: tuple[str, ...] | None = None


class RT2(Trainable):
    """A backbone and what it is trained on."""

    def __init__(self, vlm: VLM, soft: tuple[SoftRange, ...] = ()) -> None:
        super().__init__()
        self.vlm = vlm
        self.soft = soft

    def loss(self, batch: TextBatch) -> Losses:
        """Cross-entropy of the answers, plus pointing where the backbone has eyes to point with.

        A token counts by one over the square root of its answer's length: a list of everything on
        the table says more than one place, and must not drown it.
        """
        logits, maps = self.vlm.look_and_answer(
            batch.pixels, batch.tokens, batch.prompt, batch.answer
        )
        logits = logits.float()
        targets = batch.tokens[batch.answer]
        rows = torch.arange(len(batch.tokens), device=targets.device)[:, None]
        example = rows.expand_as(batch.answer)[batch.answer]
        each = self._token_losses(logits, targets, batch.source[example], batch.sources)
        right = (logits.argmax(-1) == targets).float()
        counts = batch.answer.sum(1).float().rsqrt()[example]
        total = (each * counts).sum() / counts.sum()
        parts = {"answer": total, "accuracy": right.mean()}
        weights: dict[str, Tensor] = {"accuracy": batch.answer.sum()}
        for number, name in enumerate(batch.sources):
            here = (batch.source[example] == number).float()
            for part, values in (("loss", each), ("accuracy", right)):
                key = f"{part}/{name}"
                parts[key], weights[key] = mean_of(values.detach(), here)
        if maps is not None and batch.points is not None:
            parts["points"], weights["points"] = pointing(maps, batch.points)
            total = total + parts["points"]
        return Losses(total=total, parts=parts, weights=weights)

    def _token_losses(
        self,
        logits: Float[Tensor, "M V"],
        targets: Int64[Tensor, "M"],
        source: Int64[Tensor, "M"],
        sources: tuple[str, ...],
    ) -> Float[Tensor, "M"]:
        found = logits.log_softmax(-1)
        losses = F.nll_loss(found, targets, reduction="none")
        for soft in self.soft:
            ids = torch.tensor(soft.ids, device=targets.device)
            rows, number = numbers_of(soft, ids, targets, source, sources)
            if not len(rows):
                continue
            distance = torch.arange(len(ids), device=ids.device) - number[:, None]
            wanted = torch.softmax(-0.5 * (distance / soft.sigma) ** 2, -1)
            # The entropy of the target is taken off: zero is perfect either way.
            told = found[rows][:, ids]
            losses[rows] = F.kl_div(told, wanted, reduction="none").sum(-1)
        return losses


def pointing(
    maps: Float[Tensor, "B K h w"], points: Float[Tensor, "B P 2"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Token p of the first P should look where point p is; the mean over known points, how many."""
    known = points.isfinite().all(-1)
    if not known.any():
        return maps.sum() * 0, known.sum().float()
    shown = maps[:, : points.shape[1]].float()[known][:, None]
    return pointing_loss(shown, points[known][:, None]), known.sum().float()


def numbers_of(
    soft: SoftRange,
    ids: Int64[Tensor, "n"],
    targets: Int64[Tensor, "M"],
    source: Int64[Tensor, "M"],
    names: tuple[str, ...],
) -> tuple[Int64[Tensor, "R"], Int64[Tensor, "R"]]:
    """Which targets a soft range speaks about, and the number that each of them stands for."""
    same = targets[:, None] == ids
    if soft.sources is not None:
        meant = [number for number, name in enumerate(names) if name in soft.sources]
        same &= torch.isin(source, source.new_tensor(meant))[:, None]
    rows, numbers = same.nonzero(as_tuple=True)
    return rows, numbers
