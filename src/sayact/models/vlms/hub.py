"""What the backbones of the hub share: one picture in front of a text, masks, positions, cache.

    [ before ][ image tokens ][ after ][ prompt … ][ answer … ][ padding ]
     \\_____ preamble: the same for every example ____/

transformers computes the layers; everything about the order of tokens is decided here, because its
own forward knows neither prompts of different lengths with a cache nor logits of answers alone.
"""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from sayact.models.vlms.slots import KeyValueCache, penalty, visible
from sayact.models.vlms.vlm import VLM
from sayact.schema.errors import SayactError, ShapeError

# Shares of red, green and blue.
Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class HubConfig:
    """All that a backbone's network is rebuilt from, without the folder it came from.

    network: its config.json. before, after: ids of the tokens around the picture's. image_size:
    height and width it sees, in pixels. image_mean, image_std: of red, green and blue in 0…1.
    """

    network: dict[str, Any]
    before: tuple[int, ...]
    after: tuple[int, ...]
    image_size: tuple[int, int]
    image_mean: Colour
    image_std: Colour

    @property
    def kind(self) -> str:
        """transformers' name of the architecture."""
        return self.network["model_type"]


@runtime_checkable
class Words(Protocol):
    """What a backbone may look up in a tokenizer.json: the id of a special token, ids of text."""

    def special(self, token: str) -> int: ...

    def text(self, text: str) -> tuple[int, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Image tokens, and what a network wants beside them in its layers (Qwen3-VL's DeepStack)."""

    tokens: Float[Tensor, "B P D"]
    extra: tuple[Float[Tensor, "B P D"], ...] = ()


class HubVLM(VLM):
    """A network of transformers behind `VLM`. A subclass says how it sees and how it counts."""

    # Picture and prompt see each other whole, as in PaliGemma; else everything looks back only.
    prefix_both_ways = False
    # How the picture's colours were normalised, where the folder does not say: SigLIP's way.
    mean: Colour = (0.5, 0.5, 0.5)
    std: Colour = (0.5, 0.5, 0.5)

    def __init__(self, config: HubConfig, network: Any) -> None:
        """`network` is a ...ForConditionalGeneration of the architecture in `config.network`."""
        super().__init__()
        self.config = config
        self.body: Any = network.model
        words = network.get_input_embeddings()
        tied = network.lm_head.weight is words.weight
        # A tied table stands once among the weights; safetensors keeps no tensor twice.
        self.readout: nn.Linear | None = None if tied else network.lm_head
        text = network.config.get_text_config()
        self._limit: int = text.max_position_embeddings
        self._softcap: float | None = getattr(text, "final_logit_softcapping", None)
        slides = "sliding_attention" in (getattr(text, "layer_types", None) or ())
        self._window: int | None = text.sliding_window if slides else None

    # What each family tells.

    @classmethod
    @abstractmethod
    def surroundings(cls, words: Words) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Ids before and after the image tokens."""

    @classmethod
    def picture_size(cls, vision: dict[str, Any], asked: tuple[int, int] | None) -> tuple[int, int]:
        """Height and width to resize to. `vision` describes the network's vision tower.

        Most see a square of one size, and nothing else can be asked of them.
        """
        side: int = vision["image_size"]
        if asked not in (None, (side, side)):
            raise ShapeError(
                f"this backbone sees {side} × {side} pixels and nothing else; got image_size "
                f"{asked}. Leave image_size out."
            )
        return side, side

    @property
    @abstractmethod
    def image_tokens(self) -> int:
        """How many a picture becomes."""

    @property
    @abstractmethod
    def decoder(self) -> Any:
        """The language model inside `body`."""

    @abstractmethod
    def see(self, pictures: Float[Tensor, "B 3 h w"]) -> Picture:
        """Resized and normalised pictures → image tokens."""

    def positions(self, order: Int64[Tensor, "B N"]) -> Int64[Tensor, "... N"]:
        """What the rotary embedding counts, from the order of tokens."""
        return order

    # What `VLM` asks.

    @property
    def image_size(self) -> tuple[int, int]:
        return self.config.image_size

    @property
    def vocabulary(self) -> int:
        return self.token_embedding.num_embeddings

    @property
    def context(self) -> int:
        return self._limit - self.preamble

    @property
    def token_embedding(self) -> nn.Embedding:
        return self.decoder.get_input_embeddings()

    @property
    def preamble(self) -> int:
        """Tokens in front of every prompt: the picture's and those around them."""
        return len(self.config.before) + self.image_tokens + len(self.config.after)

    def forward(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        answer: Bool[Tensor, "B N"],
    ) -> Float[Tensor, "M V"]:
        hidden = self._read(pixels, tokens, prompt, prompt | answer, None)
        # The token that precedes each text token, the first one's being the end of the preamble.
        before = hidden[:, self.preamble - 1 : -1]
        return self._logits(before[answer])

    @torch.no_grad()
    def prefill(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        room: int,
    ) -> tuple[Float[Tensor, "B V"], KeyValueCache]:
        if self.training:
            raise SayactError(
                "a backbone in training mode keeps no cache; call eval() before acting"
            )
        batch, slots = len(tokens), self.preamble + tokens.shape[1] + room
        cache = KeyValueCache(
            order=torch.zeros(batch, slots, dtype=torch.long, device=tokens.device),
            valid=torch.zeros(batch, slots, dtype=torch.bool, device=tokens.device),
        )
        hidden = self._read(pixels, tokens, prompt, prompt, cache)
        last = self.preamble - 1 + prompt.sum(-1)
        return self._logits(hidden[torch.arange(batch, device=last.device), last]), cache

    @torch.no_grad()
    def step(self, tokens: Int64[Tensor, "B"], cache: KeyValueCache) -> Float[Tensor, "B V"]:
        here = cache.used
        if here == cache.order.shape[1]:
            raise SayactError(
                f"the cache is full: prefill left room for {here} tokens, picture and prompt "
                "included; give it a larger `room`"
            )
        cache.order[:, here] = cache.valid.sum(-1)
        cache.valid[:, here] = True
        order = cache.order[:, here : here + 1]
        seen = self._mask(order, cache.order, cache.valid, None)
        hidden = self._decode(self.token_embedding(tokens[:, None]), order, seen, cache)
        return self._logits(hidden[:, 0])

    # How the parts fit together.

    def _read(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        given: Bool[Tensor, "B N"],
        cache: KeyValueCache | None,
    ) -> Float[Tensor, "B L D"]:
        """Picture and text, once through the network; what the last layer says at every slot."""
        self._require_fit(tokens, given, 0 if cache is None else cache.order.shape[1])
        picture = self.see(self._normalised(pixels))
        vectors = self._spliced(picture, tokens)
        always = given.new_ones(len(given), self.preamble)
        valid, prefix = torch.cat([always, given], 1), torch.cat([always, prompt], 1)
        order = valid.cumsum(-1) - 1
        keys, seen_keys = order, valid
        if cache is not None:
            cache.order[:, : order.shape[1]], cache.valid[:, : order.shape[1]] = order, valid
            keys, seen_keys = cache.order, cache.valid
        seen = self._mask(order, keys, seen_keys, prefix if self.prefix_both_ways else None)
        return self._decode(vectors, order, seen, cache, picture)

    def _require_fit(self, tokens: Tensor, given: Tensor, slots: int) -> None:
        longest = max(self.preamble + int(given.sum(-1).max()), slots)
        if longest > self._limit:
            raise ShapeError(
                f"{longest} tokens, {self.preamble} of them the picture's, are more than the "
                f"{self._limit} of this backbone's context; give shorter prompts or answers"
            )
        if int(tokens.max()) >= self.vocabulary or int(tokens.min()) < 0:
            raise ShapeError(
                f"token ids from {int(tokens.min())} to {int(tokens.max())} do not fit a "
                f"vocabulary of {self.vocabulary}: the tokenizer belongs to another backbone"
            )

    def _normalised(self, pixels: UInt8[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 h w"]:
        """The size the network sees, bicubic as in its own preprocessing, and about −1…1."""
        (height, width), scaled = self.image_size, pixels.float()
        # Pillow resizes along one axis after the other, and has bytes after each.
        for size in ((scaled.shape[2], width), (height, width)):
            if tuple(scaled.shape[2:]) != size:
                resized = F.interpolate(scaled, size, mode="bicubic", antialias=True)
                scaled = resized.round().clamp(0, 255)
        mean = scaled.new_tensor(self.config.image_mean)[:, None, None]
        std = scaled.new_tensor(self.config.image_std)[:, None, None]
        return ((scaled / 255 - mean) / std).to(self.token_embedding.weight.dtype)

    def _spliced(self, picture: Picture, tokens: Int64[Tensor, "B N"]) -> Float[Tensor, "B L D"]:
        embed, batch = self.token_embedding, len(tokens)
        before, after = (
            embed(tokens.new_tensor(ids)).expand(batch, -1, -1)
            for ids in (self.config.before, self.config.after)
        )
        image = picture.tokens.to(before.dtype)
        return torch.cat([before, image, after, embed(tokens)], 1)

    def _mask(
        self,
        query: Int64[Tensor, "B Q"],
        key: Int64[Tensor, "B S"],
        valid: Bool[Tensor, "B S"],
        prefix: Bool[Tensor, "B Q"] | None,
    ) -> dict[str, Tensor] | Tensor:
        """What is added to attention, by kind of layer where there are two kinds."""
        dtype = self.token_embedding.weight.dtype
        if torch.is_autocast_enabled(query.device.type):
            dtype = torch.get_autocast_dtype(query.device.type)
        full = penalty(visible(query, key, valid, prefix, None), dtype)
        if self._window is None:
            return full
        near = penalty(visible(query, key, valid, prefix, self._window), dtype)
        return {"full_attention": full, "sliding_attention": near}

    def _decode(
        self,
        vectors: Float[Tensor, "B Q D"],
        order: Int64[Tensor, "B Q"],
        seen: dict[str, Tensor] | Tensor,
        cache: KeyValueCache | None,
        picture: Picture | None = None,
    ) -> Float[Tensor, "B Q D"]:
        found = self.decoder(
            inputs_embeds=vectors,
            attention_mask=seen,
            position_ids=self.positions(order),
            use_cache=cache is not None,
            **{self._cache_argument: cache},
            **({} if picture is None else self._beside(picture, vectors)),
        )
        if cache is not None:
            cache.used += vectors.shape[1]
        return found.last_hidden_state

    @cached_property
    def _cache_argument(self) -> str:
        """transformers 5.24 renamed it."""
        names = signature(self.decoder.forward).parameters
        return "cache" if "cache" in names else "past_key_values"

    def _beside(self, picture: Picture, vectors: Float[Tensor, "B Q D"]) -> dict[str, Any]:
        """Arguments by which the layers get `picture.extra`."""
        return {}

    def _logits(self, hidden: Float[Tensor, "M D"]) -> Float[Tensor, "M V"]:
        """In float32 whatever the network computes in: losses and probabilities need it."""
        table = self.token_embedding if self.readout is None else self.readout
        logits = F.linear(hidden, table.weight).float()
        if self._softcap is not None:
            logits = torch.tanh(logits / self._softcap) * self._softcap
        return logits
