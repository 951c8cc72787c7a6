"""rt2-nano's backbone: a vision-language model of a few million parameters, trained from nothing.

    prompt ─▶ reader ─▶ words ────────────────────────────┐
                 │                                        ▼
                 ▼ pooled                        [image tokens][prompt][answer] ─▶ decoder ─▶ logits
    picture ─▶ "film": convolutions, FiLM after   K tokens      N tokens
               every block, TokenLearner ─────────▲
             ▷ "stem": convolutions, then a few
               layers of attention; no FiLM,
               every place is a token

    mask       picture and prompt see each other whole; answers see them and the answer so far

                 i i i p p a a        i image, p prompt, a answer; the row sees the column
               i ■ ■ ■ ■ ■ · ·
               p ■ ■ ■ ■ ■ · ·
               a ■ ■ ■ ■ ■ ■ ·
               a ■ ■ ■ ■ ■ ■ ■

"film" is RT-1's image tokenizer (section 5.1) with the question in place of the sentence vector:
the eyes know what is asked. "stem" is a small PaliGemma with convolutions for its patches: they
do not. Both end in the same decoder with the same words, and results/rt2-nano-web.md compares them.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from sayact.models.layers.efficientnet import ConvNorm, EfficientNet, EfficientNetConfig
from sayact.models.rt1 import SwiGLU, TokenLearner
from sayact.models.shapes import NANO
from sayact.models.vlms.vlm import VLM

WAVES = 6  # of a place: half a wave across the picture, one, two … sixteen


@dataclass(frozen=True, kw_only=True)
class NanoConfig:
    """`vision` chooses between the two image tokenizers; the fields below it belong to one each."""

    vocabulary: int
    context: int = 96  # most tokens of prompt and answer
    picture: tuple[int, int] = (84, 152)  # height, width; others are resized
    width: int = 192
    layers: int = 3
    heads: int = 4
    hidden: int = 384  # of SwiGLU
    vision: Literal["film", "stem"] = "film"

    reader_layers: int = 2  # film: what reads the question before the picture is seen
    backbone: EfficientNetConfig = NANO.backbone  # rt1-nano's eyes
    image_tokens: int = 16
    points: int = 3  # so many image tokens are told where to look, in training

    stem: tuple[int, ...] = (32, 64, 128)  # stem: channels of its convolutions, stride 2 each
    stem_layers: int = 2


class Attention(nn.Module):
    """Multi-head attention over keys and values that may come from a cache."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "B N D"],
        mask: Bool[Tensor, "B N S"],
        cache: "tuple[Tensor, Tensor, int] | None" = None,
    ) -> Float[Tensor, "B N D"]:
        """`cache`: keys and values (B, heads, S, D / heads), and where the new ones are written."""
        heads = self.query_key_value(x).unflatten(-1, (3 * self.heads, -1)).transpose(1, 2)
        query, key, value = heads.chunk(3, 1)
        if cache is not None:
            keys, values, start = cache
            keys[:, :, start : start + x.shape[1]] = key
            values[:, :, start : start + x.shape[1]] = value
            key, value = keys, values
        # Written out: on a CPU the fused kernel's backward pass took a quarter of a training step.
        scores = (query @ key.transpose(2, 3)) * query.shape[-1] ** -0.5
        weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(-1).to(value.dtype)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """Pre-norm attention and a gated feed-forward."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm_attention = nn.RMSNorm(width)
        self.attention = Attention(width, heads)
        self.norm_forward = nn.RMSNorm(width)
        self.feed_forward = SwiGLU(width, hidden)

    def forward(
        self,
        x: Float[Tensor, "B N D"],
        mask: Bool[Tensor, "B N S"],
        cache: "tuple[Tensor, Tensor, int] | None" = None,
    ) -> Float[Tensor, "B N D"]:
        x = x + self.attention(self.norm_attention(x), mask, cache)
        return x + self.feed_forward(self.norm_forward(x))


class Reader(nn.Module):
    """The question by itself: every word in its context, and all of it in one vector."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        width = config.width
        self.layers = nn.ModuleList(
            Layer(width, config.heads, config.hidden) for _ in range(config.reader_layers)
        )
        self.norm = nn.RMSNorm(width)
        self.weigh = nn.Linear(width, config.heads)
        self.value = nn.Linear(width, width)

    def forward(
        self, words: Float[Tensor, "B N D"], prompt: Bool[Tensor, "B N"]
    ) -> tuple[Float[Tensor, "B N D"], Float[Tensor, "B D"]]:
        # Nobody reads what padding sees; it may see the prompt, so that no row of weights is empty.
        mask = prompt[:, None].expand(-1, prompt.shape[1], -1)
        for layer in self.layers:
            words = layer(words, mask)
        read = self.norm(words)
        weights = self.weigh(read).masked_fill(~prompt[..., None], float("-inf")).softmax(1)
        values = self.value(read).unflatten(-1, (weights.shape[-1], -1))
        return words, (weights[..., None] * values).sum(1).flatten(1)


class FilmTokenizer(nn.Module):
    """A picture and the question about it → K tokens, the first of which are told where to look.

    Each token is told, in turn, where it looked: waves of the mean place of its map. What was found
    is then half the answer to where it is.
    """

    waves: Tensor

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.backbone = EfficientNet(config.backbone, config.width)
        self.token_learner = TokenLearner(self.backbone.channels, config.image_tokens)
        self.project = nn.Linear(self.backbone.channels, config.width)
        self.register_buffer("waves", torch.pi * 2.0 ** torch.arange(WAVES), persistent=False)
        self.place = nn.Linear(4 * WAVES, config.width)

    def forward(
        self, pixels: Float[Tensor, "B 3 H W"], question: Float[Tensor, "B D"]
    ) -> tuple[Float[Tensor, "B K D"], Float[Tensor, "B K h w"]]:
        """The tokens, and the map of scores that tells where each of them looked."""
        features = self.backbone(pixels, question)
        tokens, scores = self.token_learner(features.flatten(2).transpose(1, 2))
        maps = scores.transpose(1, 2).unflatten(2, features.shape[2:])
        phase = (mean_place(maps.float())[..., None] * self.waves).flatten(2)
        return self.project(tokens) + self.place(torch.cat([phase.sin(), phase.cos()], 2)), maps


def mean_place(maps: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K 2"]:
    """Where a map of scores looks on average: (x, y) in 0…1 of the picture."""
    rows, columns = ((torch.arange(n, device=maps.device) + 0.5) / n for n in maps.shape[2:])
    weights = maps.flatten(2).softmax(2).unflatten(2, maps.shape[2:])
    return torch.stack([weights.sum(2) @ columns, weights.sum(3) @ rows], -1)


class StemTokenizer(nn.Module):
    """A picture → one token a place, whatever is asked.

    Convolutions with batch norm keep the features apart from picture to picture where a plain patch
    embedding collapses to a constant.
    """

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        channels = (3, *config.stem)
        strided = [ConvNorm(before, after, 3, 2, same=True) for before, after in pairwise(channels)]
        self.convolutions = nn.Sequential(*strided, ConvNorm(channels[-1], channels[-1], 3))
        self.project = nn.Linear(channels[-1], config.width)
        self.places = places_of(config)
        self.position = nn.Parameter(
            torch.randn(self.places[0] * self.places[1], config.width) * 0.1
        )
        self.layers = nn.ModuleList(
            Layer(config.width, config.heads, config.hidden) for _ in range(config.stem_layers)
        )

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K D"]:
        x = self.convolutions((pixels - 0.5) / 0.25).flatten(2).transpose(1, 2)
        x = self.project(x) + self.position.to(x.dtype)
        everything = x.new_ones(len(x), x.shape[1], x.shape[1], dtype=torch.bool)
        for layer in self.layers:
            x = layer(x, everything)
        return x


def places_of(config: NanoConfig) -> tuple[int, int]:
    """Rows and columns of the stem's map: each stride of two halves, rounding up."""
    height, width = config.picture
    for _ in config.stem:
        height, width = -(-height // 2), -(-width // 2)
    return height, width


@dataclass
class Cache:
    """Keys and values of every layer, with room for the answer; `seen` is what rows may look at.

    `length` is each prompt's own; `filled` the slots in use, padding included.
    """

    keys: Float[Tensor, "L B heads S _"]
    values: Float[Tensor, "L B heads S _"]
    seen: Bool[Tensor, "B S"]
    length: Int64[Tensor, "B"]
    filled: int
    prompt_slots: int


class NanoVLM(VLM):
    """Reader, eyes and decoder; one table of words for input and output."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.words = nn.Embedding(config.vocabulary, width)
        nn.init.normal_(self.words.weight, std=width**-0.5)
        self.position = nn.Embedding(config.context, width)
        nn.init.normal_(self.position.weight, std=0.1)
        self.reader = Reader(config) if config.vision == "film" else None
        self.eyes = FilmTokenizer(config) if config.vision == "film" else StemTokenizer(config)
        self.image_position = nn.Parameter(torch.randn(self.image_tokens, width) * 0.1)
        self.layers = nn.ModuleList(
            Layer(width, config.heads, config.hidden) for _ in range(config.layers)
        )
        self.norm = nn.RMSNorm(width)

    @property
    def image_size(self) -> tuple[int, int]:
        return self.config.picture

    @property
    def vocabulary(self) -> int:
        return self.config.vocabulary

    @property
    def context(self) -> int:
        return self.config.context

    @property
    def token_embedding(self) -> nn.Embedding:
        return self.words

    @property
    def image_tokens(self) -> int:
        if self.config.vision == "film":
            return self.config.image_tokens
        rows, columns = places_of(self.config)
        return rows * columns

    def forward(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        answer: Bool[Tensor, "B N"],
    ) -> Float[Tensor, "M V"]:
        return self.look_and_answer(pixels, tokens, prompt, answer)[0]

    def look_and_answer(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        answer: Bool[Tensor, "B N"],
    ) -> tuple[Float[Tensor, "M V"], Float[Tensor, "B K h w"] | None]:
        """The logits, and where the image tokens looked, if they do such a thing."""
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        words = self.embed(tokens, positions)
        image, words, maps = self.see(pixels, words, prompt)
        x = torch.cat([image, words], 1)
        mask = attention_mask(image.shape[1], prompt, answer)
        for layer in self.layers:
            x = layer(x, mask)
        # A token is read off one place early: where the token before it stands.
        before = x[:, image.shape[1] - 1 : -1]
        return self.read_out(before[answer]), maps

    def embed(
        self, tokens: Int64[Tensor, "B N"], positions: Int64[Tensor, "..."]
    ) -> Float[Tensor, "B N D"]:
        return self.words(tokens) * self.config.width**0.5 + self.position(positions)

    def see(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        words: Float[Tensor, "B N D"],
        prompt: Bool[Tensor, "B N"],
    ) -> tuple[Float[Tensor, "B K D"], Float[Tensor, "B N D"], Float[Tensor, "B K h w"] | None]:
        """Image tokens, the prompt's words once read, and where the tokens looked."""
        x = pixels.float() / 255
        if tuple(x.shape[2:]) != tuple(self.config.picture):
            x = F.interpolate(x, self.config.picture, mode="bilinear", align_corners=False)
        x = x.contiguous(memory_format=torch.channels_last)
        maps = None
        if isinstance(self.eyes, FilmTokenizer):
            assert self.reader is not None
            longest = int(prompt.sum(1).max())
            read, question = self.reader(words[:, :longest], prompt[:, :longest])
            # Answers are not read beforehand: they are what is to be found.
            kept = torch.where(prompt[:, :longest, None], read.to(words.dtype), words[:, :longest])
            words = torch.cat([kept, words[:, longest:]], 1)
            image, maps = self.eyes(x, question)
        else:
            image = self.eyes(x)
        return image + self.image_position.to(image.dtype), words, maps

    def read_out(self, features: Float[Tensor, "*n D"]) -> Float[Tensor, "*n V"]:
        return F.linear(self.norm(features), self.words.weight)

    def prefill(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        room: int,
    ) -> tuple[Float[Tensor, "B V"], Cache]:
        batch, slots = tokens.shape
        positions = torch.arange(slots, device=tokens.device)
        image, words, _ = self.see(pixels, self.embed(tokens, positions), prompt)
        x = torch.cat([image, words], 1)
        count, total = image.shape[1], x.shape[1] + room
        shape = (len(self.layers), batch, self.config.heads, total, x.shape[2] // self.config.heads)
        seen = F.pad(prompt, (count, 0), value=True)
        cache = Cache(
            keys=x.new_zeros(shape),
            values=x.new_zeros(shape),
            seen=F.pad(seen, (0, room), value=False),
            length=prompt.sum(1),
            filled=x.shape[1],
            prompt_slots=x.shape[1],
        )
        mask = cache.seen[:, None].expand(-1, x.shape[1], -1)
        for number, layer in enumerate(self.layers):
            x = layer(x, mask, (cache.keys[number], cache.values[number], 0))
        last = count - 1 + cache.length
        return self.read_out(x[torch.arange(batch, device=x.device), last]), cache

    def step(self, tokens: Int64[Tensor, "B"], cache: Cache) -> Float[Tensor, "B V"]:
        if cache.filled == cache.seen.shape[1]:
            raise IndexError(f"the cache has room for {cache.filled} tokens, all of them taken")
        positions = cache.length + cache.filled - cache.prompt_slots
        x = self.embed(tokens[:, None], positions[:, None])
        cache.seen[:, cache.filled] = True
        for number, layer in enumerate(self.layers):
            past = (cache.keys[number], cache.values[number], cache.filled)
            x = layer(x, cache.seen[:, None], past)
        cache.filled += 1
        return self.read_out(x[:, 0])


def attention_mask(
    image_tokens: int, prompt: Bool[Tensor, "B N"], answer: Bool[Tensor, "B N"]
) -> Bool[Tensor, "B S S"]:
    """True where the row may look at the column; drawn at the top of this file.

    Padding looks like an answer: at everything before it, so that no row is empty.
    """
    whole = F.pad(prompt, (image_tokens, 0), value=True)
    spoken = F.pad(answer, (image_tokens, 0), value=False)
    index = torch.arange(whole.shape[1], device=prompt.device)
    before = index[None] <= index[:, None]
    return whole[:, None] | (spoken[:, None] & before)
