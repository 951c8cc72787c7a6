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

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from sayact.models.layers.attention import Layer, through_rows
from sayact.models.layers.pictures import unit_pixels
from sayact.models.vlms.nano_config import NanoConfig
from sayact.models.vlms.nano_eyes import FilmTokenizer, StemTokenizer, places_of
from sayact.models.vlms.vlm import VLM

WIDTH = 16  # what the length of a batch's rows is a multiple of


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
        rows, count = through_rows(self.layers, words, mask, prompt)
        slots = prompt.flatten().nonzero()[:, 0]
        read = rows[:count].to(words.dtype)
        words = words.flatten(0, 1).index_copy(0, slots, read).view(words.shape)
        read = self.norm(words)
        weights = self.weigh(read).masked_fill(~prompt[..., None], float("-inf")).softmax(1)
        values = self.value(read).unflatten(-1, (weights.shape[-1], -1))
        return words, (weights[..., None] * values).sum(1).flatten(1)


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
    def looks(self) -> bool:
        return self.config.vision == "film"

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
        # Round numbers of tokens, as of rows in `through_rows`.
        room = min(-tokens.shape[1] % WIDTH, max(self.context - tokens.shape[1], 0))
        tokens, prompt, answer = (F.pad(each, (0, room)) for each in (tokens, prompt, answer))
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        words = self.embed(tokens, positions)
        image, words, maps = self.see(pixels, words, prompt)
        mask = attention_mask(image.shape[1], prompt, answer)
        used = F.pad(prompt | answer, (image.shape[1], 0), value=True)
        # A token is read off one place early: where the token before it stands.
        before = F.pad(answer, (image.shape[1] - 1, 1))
        x = torch.cat([image, words], 1)
        rows, count = through_rows(self.layers, x, mask, used, before)
        return self.read_out(rows)[:count], maps

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
        x = unit_pixels(pixels, self.config.picture).contiguous(memory_format=torch.channels_last)
        maps = None
        if isinstance(self.eyes, FilmTokenizer):
            assert self.reader is not None
            longest = min(-(-int(prompt.sum(1).max()) // WIDTH) * WIDTH, prompt.shape[1])
            # Answers are not read beforehand: they are what is to be found.
            read, question = self.reader(words[:, :longest], prompt[:, :longest])
            words = torch.cat([read, words[:, longest:]], 1)
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
