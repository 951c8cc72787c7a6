"""A vision-language model and a tokenizer that are small enough for a test.

    image tokens (28)   prompt …   answer …
    └─ see each other, both ways ─┘ └─ each sees what is before it ─▶

The mask and the key-value cache are real: what holds for a pretrained backbone can be tested here.
"""

from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as TokenizersTokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from sayact.codecs.tokens import JsonTokenizer
from sayact.models.vlms.vlm import VLM

WAVELENGTH = 10_000.0  # of the slowest wave of a position, in tokens, as in the first transformer


def byte_tokenizer(integers: int = 256, places: int = 64) -> JsonTokenizer:
    """Every byte is a token; so are the words 0 … `integers`-1 and `<loc00>` … of `places`.

    A word takes the space before it along: "to 12" is `t`, `o`, ` 12`.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, *(f"Ġ{number}" for number in range(integers))]
    tokenizer = TokenizersTokenizer(
        models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[], ignore_merges=True)
    )
    # Numbers are looked up whole; nothing else is in the vocabulary but its bytes.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\d+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    digits = len(str(places - 1))
    names = ["<pad>", "<end>", *(f"<loc{place:0{digits}d}>" for place in range(places))]
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in names])
    return JsonTokenizer.from_file(tokenizer.to_str().encode())


@dataclass(frozen=True, kw_only=True)
class TinyVLMConfig:
    """`grid` is rows and columns of image tokens, each the mean colour of its part."""

    vocabulary: int = 578  # of `byte_tokenizer()`
    picture: tuple[int, int] = (16, 28)
    grid: tuple[int, int] = (4, 7)
    width: int = 16
    layers: int = 2
    heads: int = 2
    context: int = 512


@dataclass(kw_only=True)
class TinyCache:
    """Keys and values of every layer, in memory of a fixed size.

    seen: which places hold something real. slot: the next free place, the same for all rows.
    position: the next position of each row, which its padding does not count in.
    """

    keys: Float[Tensor, "L B H S d"]
    values: Float[Tensor, "L B H S d"]
    seen: Bool[Tensor, "B S"]
    slot: int
    position: Int64[Tensor, "B"]


class TinyBlock(nn.Module):
    """Attention and a feed-forward layer, both behind a norm."""

    def __init__(self, config: TinyVLMConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def project_all(self, x: Float[Tensor, "B Q D"]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of `x`, each (B, heads, Q, width of a head)."""
        parts = self.project(self.before(x)).unflatten(-1, (3, self.heads, -1))
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        return queries, keys, values

    def forward(
        self,
        x: Float[Tensor, "B Q D"],
        attended: tuple[Tensor, Tensor, Tensor],
        mask: Bool[Tensor, "B Q S"],
    ) -> Float[Tensor, "B Q D"]:
        mixed = F.scaled_dot_product_attention(*attended, attn_mask=mask[:, None])
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.feed(self.between(x))


class TinyVLM(VLM):
    """A prefix-LM of some 15 000 parameters, most of them word vectors (tied)."""

    def __init__(self, config: TinyVLMConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TinyVLMConfig()
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.colours = nn.Linear(3, config.width)
        self.blocks = nn.ModuleList(TinyBlock(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

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
        return self.config.grid[0] * self.config.grid[1]

    @property
    def _layers(self) -> tuple[TinyBlock, ...]:
        return cast("tuple[TinyBlock, ...]", tuple(self.blocks))

    def forward(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        answer: Bool[Tensor, "B N"],
    ) -> Float[Tensor, "M V"]:
        x = self._embed(pixels, tokens)
        mask = self._mask(prompt, prompt | answer)
        for block in self._layers:
            x = block(x, block.project_all(x), mask)
        # What is expected in a place is read off the place before it.
        return self._logits(x[:, self.image_tokens - 1 : -1][answer])

    def prefill(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        room: int,
    ) -> tuple[Float[Tensor, "B V"], TinyCache]:
        x = self._embed(pixels, tokens)
        batch, length, width = x.shape
        heads = self.config.heads
        kept = x.new_zeros(2, len(self.blocks), batch, heads, length + room, width // heads)
        mask = self._mask(prompt, prompt)
        for layer, block in enumerate(self._layers):
            q, k, v = block.project_all(x)
            kept[0, layer, :, :, :length], kept[1, layer, :, :, :length] = k, v
            x = block(x, (q, k, v), mask)
        last = self.image_tokens + prompt.sum(1)
        cache = TinyCache(
            keys=kept[0],
            values=kept[1],
            seen=F.pad(self._with_image(prompt), (0, room)),
            slot=length,
            position=last,
        )
        return self._logits(x[torch.arange(batch), last - 1]), cache

    def step(self, tokens: Int64[Tensor, "B"], cache: TinyCache) -> Float[Tensor, "B V"]:
        x = (self.words(tokens) + self._wave(cache.position))[:, None]
        cache.seen[:, cache.slot] = True
        for layer, block in enumerate(self._layers):
            q, k, v = block.project_all(x)
            cache.keys[layer, :, :, cache.slot] = k[:, :, 0]
            cache.values[layer, :, :, cache.slot] = v[:, :, 0]
            attended = (q, cache.keys[layer], cache.values[layer])
            x = block(x, attended, cache.seen[:, None])
        cache.slot += 1
        cache.position = cache.position + 1
        return self._logits(x[:, 0])

    def _embed(
        self, pixels: UInt8[Tensor, "B 3 H W"], tokens: Int64[Tensor, "B N"]
    ) -> Float[Tensor, "B S D"]:
        places = F.adaptive_avg_pool2d(pixels.float() / 255, self.config.grid)
        seen = self.colours(places.flatten(2).transpose(1, 2))
        x = torch.cat([seen, self.words(tokens)], 1)
        return x + self._wave(torch.arange(x.shape[1], device=x.device))

    def _wave(self, position: Int64[Tensor, "*n"]) -> Float[Tensor, "*n D"]:
        """Sines and cosines: positions that cost no parameters."""
        half = self.config.width // 2
        slowness = WAVELENGTH ** (torch.arange(half, device=position.device) / half)
        angle = position[..., None] / slowness
        return torch.cat([angle.sin(), angle.cos()], -1)

    def _with_image(self, text: Bool[Tensor, "B N"]) -> Bool[Tensor, "B S"]:
        return F.pad(text, (self.image_tokens, 0), value=True)

    def _mask(
        self, prompt: Bool[Tensor, "B N"], real: Bool[Tensor, "B N"]
    ) -> Bool[Tensor, "B S S"]:
        """True where row may see column: all of picture and prompt, and what came before."""
        prefix, real = self._with_image(prompt), self._with_image(real)
        length = real.shape[1]
        before = torch.ones(length, length, dtype=torch.bool, device=real.device).tril()
        return (prefix[:, None, :] | before) & real[:, None, :]

    def _logits(self, x: Float[Tensor, "M D"]) -> Float[Tensor, "M V"]:
        return self.norm(x) @ self.words.weight.T
