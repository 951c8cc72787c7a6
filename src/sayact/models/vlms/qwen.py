"""Qwen2.5-VL and Qwen3-VL: decoders that look back only, and count rows and columns of a picture.

    <|im_start|>user\\n<|vision_start|>[ image tokens ]<|vision_end|>prompt<|im_end|>\\n
    <|im_start|>assistant\\n answer … <|im_end|>

Every token has three positions, of time, row and column (multimodal rotary embedding). In text they
are the same number; a picture stands at one time, and text goes on after its longer side:

    token   … n-1 │ image, 2 × 3 tokens             │ text
    time        8 │ 9  9  9   9  9  9               │ 12 13
    row         8 │ 9  9  9   10 10 10              │ 12 13
    column      8 │ 9  10 11  9  10 11              │ 12 13

Facts: arXiv 2409.12191 section 2.1 (positions), arXiv 2502.13923 section 2 (Qwen2.5-VL), the model
cards of Qwen3-VL (DeepStack: features of earlier vision layers are added in the first text layers).
"""

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sayact.models.vlms.hub import HubVLM, Picture, Words
from sayact.schema.errors import ShapeError

# Rows and columns of image tokens where nothing else is asked: the 16 : 9 of most cameras, and more
# pixels than Language-Table's 180 × 320 has (252 × 448 in Qwen2.5-VL, 288 × 512 in Qwen3-VL).
GRID = 9, 16


class Qwen3(HubVLM):
    """A vision transformer that takes any size, and a Qwen decoder."""

    closing = "<|im_end|>\n<|im_start|>assistant\n"
    system = ""  # a turn before the user's

    @classmethod
    def picture_size(cls, vision: dict[str, Any], asked: tuple[int, int] | None) -> tuple[int, int]:
        side: int = vision["patch_size"] * vision["spatial_merge_size"]
        if asked is None:
            return GRID[0] * side, GRID[1] * side
        if any(length % side or length < side for length in asked):
            near = tuple(max(1, round(length / side)) * side for length in asked)
            raise ShapeError(
                f"this backbone's pictures are multiples of {side} pixels high and wide; got "
                f"image_size {asked}. The nearest is {near}."
            )
        return asked

    @classmethod
    def surroundings(cls, words: Words) -> tuple[tuple[int, ...], tuple[int, ...]]:
        turn = words.text(f"{cls.system}<|im_start|>user\n")
        return (*turn, words.special("<|vision_start|>")), (words.special("<|vision_end|>"),)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of image tokens: squares of spatial_merge_size² patches each."""
        vision = self.body.config.vision_config
        side = vision.patch_size * vision.spatial_merge_size
        return self.image_size[0] // side, self.image_size[1] // side

    @property
    def image_tokens(self) -> int:
        return self.grid[0] * self.grid[1]

    @property
    def decoder(self) -> Any:
        return self.body.language_model

    def see(self, pictures: Float[Tensor, "B 3 h w"]) -> Picture:
        vision, (rows, columns) = self.body.config.vision_config, self.grid
        merge, batch = vision.spatial_merge_size, len(pictures)
        size = [1, rows * merge, columns * merge]  # of one moment, in patches
        sizes = torch.tensor([size] * batch, device=pictures.device)
        found = self.body.visual(self._patches(pictures), grid_thw=sizes)
        tokens, *extra = (
            values.unflatten(0, (batch, self.image_tokens))
            for values in (found.pooler_output, *(getattr(found, "deepstack_features", None) or ()))
        )
        return Picture(tokens=tokens, extra=tuple(extra))

    def _patches(self, pictures: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "N C"]:
        """One row a patch, those of one image token together; a still picture lasts two frames."""
        vision, (rows, columns) = self.body.config.vision_config, self.grid
        merge, patch = vision.spatial_merge_size, vision.patch_size
        cut = pictures.unflatten(2, (rows, merge, patch)).unflatten(5, (columns, merge, patch))
        # B C row merge patch column merge patch → B row column merge merge C patch patch
        together = cut.permute(0, 2, 5, 3, 6, 1, 4, 7)
        frames = together.unsqueeze(6).expand(*[-1] * 6, vision.temporal_patch_size, -1, -1)
        return frames.flatten(5).flatten(0, 4)

    def positions(self, order: Int64[Tensor, "B N"]) -> Int64[Tensor, "3 B N"]:
        start, (rows, columns) = len(self.config.before), self.grid
        place = (order - start).clamp(0, self.image_tokens - 1)
        picture = torch.stack([torch.zeros_like(place), place // columns, place % columns]) + start
        in_front, behind = order < start, order >= start + self.image_tokens
        after = order - self.image_tokens + max(rows, columns)
        return torch.where(in_front, order, torch.where(behind, after, picture))

    def _beside(self, picture: Picture, vectors: Float[Tensor, "B Q D"]) -> dict[str, Any]:
        if not picture.extra:
            return {}
        where = torch.zeros(vectors.shape[:2], dtype=torch.bool, device=vectors.device)
        start = len(self.config.before)
        where[:, start : start + self.image_tokens] = True
        return {
            "visual_pos_masks": where,
            "deepstack_visual_embeds": [values.flatten(0, 1) for values in picture.extra],
        }


class Qwen25(Qwen3):
    """The same with windows in the vision transformer; its chats begin with a system turn."""

    system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    # CLIP's colours.
    mean = (0.48145466, 0.4578275, 0.40821073)
    std = (0.26862954, 0.26130258, 0.27577711)
