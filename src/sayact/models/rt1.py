"""RT-1 (arXiv 2212.06817): pictures and a sentence in, one token for every action dimension out.

    frame t ─▶ EfficientNet with FiLM(sentence) ─▶ h×w features ─▶ TokenLearner ─▶ 8 image tokens ┐
                                                                                                  ▼
    sequence   i i i i i i i i a a │ i i i i i i i i a a │ …     i image token, a action slot (zero)
               frame 1             │ frame 2             │        A action slots a frame
                             └─┴─▶ logits of action dimension k of frame t, read one place early:
                                   at the last image token and the first A-1 action slots

    mask       a query sees every earlier token and itself, except that no action slot sees an
               action slot: past actions cannot be copied, and one pass answers all dimensions.

The published sizes, and ours, stand in `sayact.models.shapes`.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from sayact.models.layers.efficientnet import (
    B3,
    EfficientNet,
    EfficientNetConfig,
    FiLM,
)
from sayact.models.layers.pictures import unit_pixels
from sayact.models.losses import Losses, bin_loss, pointing_loss
from sayact.models.trainable import Trainable
from sayact.schema.batches import Batch

LAYER_NORM_EPS = 1e-6  # Keras' default, the original's


@dataclass(frozen=True, kw_only=True)
class RT1Config:
    """The values are the released TensorFlow network's; the last block of fields is off in it."""

    action_dims: int
    bins: int = 256
    frames: int = 6
    picture: tuple[int, int] = (300, 300)  # height, width the backbone sees; others are resized
    sentence: int = 512
    backbone: EfficientNetConfig = B3
    token_width: int = 512
    image_tokens: int = 8
    token_learner: bool = True  # False: every place is a token, the paper's ablation
    width: int = 512
    layers: int = 8
    heads: int = 8
    head_dim: int = 128
    feed_forward: Literal["linear", "swiglu"] = "linear"  # the paper's is one linear layer
    hidden: int | None = None  # of SwiGLU; None: twice the width
    action_keys: bool = True  # may image tokens look back at action slots? not in the flax release
    dropout: float = 0.1
    empty_start: bool = False  # an episode begins after T-1 empty frames; the flax release's do

    sentence_scale: float = 1.0  # USE vectors have length 1, numbers of 0.04: slow food for Adam
    points: int = 0  # auxiliary pointing: so many image tokens are told where to look
    soft_bins: float = 0.0  # standard deviation of the target over bins; 0 is one-hot


class ImageTokenizer(nn.Module):
    """One picture and its sentence → a few tokens (RT-1 section 5.1)."""

    def __init__(self, config: RT1Config) -> None:
        super().__init__()
        self.picture = config.picture
        self.sentence_scale = config.sentence_scale
        self.backbone = EfficientNet(config.backbone, config.sentence)
        self.project = nn.Conv2d(self.backbone.channels, config.token_width, 1, bias=False)
        self.film = FiLM(config.sentence, config.token_width)
        self.token_learner = None
        if config.token_learner:
            self.token_learner = TokenLearner(config.token_width, config.image_tokens)

    def features(
        self, pixels: UInt8[Tensor, "N 3 H W"], sentence: Float[Tensor, "N E"]
    ) -> Float[Tensor, "N D h w"]:
        x = unit_pixels(pixels, self.picture)
        context = sentence * self.sentence_scale
        return self.film(self.project(self.backbone(x, context)), context)

    def forward(
        self, pixels: UInt8[Tensor, "N 3 H W"], sentence: Float[Tensor, "N E"]
    ) -> tuple[Float[Tensor, "N K D"], Float[Tensor, "N K h w"] | None]:
        """The tokens, and the map of scores that tells where each of them looked."""
        features = self.features(pixels, sentence)
        places = features.flatten(2).transpose(1, 2)  # row by row
        if self.token_learner is None:
            return places, None
        tokens, scores = self.token_learner(places)
        return tokens, scores.transpose(1, 2).unflatten(2, features.shape[2:])


class TokenLearner(nn.Module):
    """Each token is a weighted mean of all places, the weights learned (TokenLearner v1.1)."""

    def __init__(self, width: int, tokens: int, hidden: int = 64) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.hidden = nn.Linear(width, hidden)
        self.out = nn.Linear(hidden, tokens)

    def forward(
        self, places: Float[Tensor, "N P D"]
    ) -> tuple[Float[Tensor, "N K D"], Float[Tensor, "N P K"]]:
        scores = self.out(F.gelu(self.hidden(self.norm(places)), approximate="tanh"))
        # The features that are averaged are the ones before the norm.
        return scores.softmax(1).transpose(1, 2) @ places, scores


class Attention(nn.Module):
    """Multi-head attention whose inner width is heads × head_dim, not the model's."""

    def __init__(self, config: RT1Config) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        inner = config.heads * config.head_dim
        self.query = nn.Linear(config.width, inner)
        self.key = nn.Linear(config.width, inner)
        self.value = nn.Linear(config.width, inner)
        self.out = nn.Linear(inner, config.width)

    def forward(
        self, x: Float[Tensor, "B N D"], mask: Bool[Tensor, "N N"]
    ) -> Float[Tensor, "B N D"]:
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        # Written out: on a CPU the fused kernel's backward pass took an eighth of a training step
        # of nano, whose sequences are short.
        scores = (q @ k.transpose(2, 3)) * q.shape[-1] ** -0.5
        weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
        y = F.dropout(weights, self.dropout, self.training).to(v.dtype) @ v
        return self.out(y.transpose(1, 2).flatten(2))


class SwiGLU(nn.Module):
    """Gated feed-forward without biases, as in RT-1-X."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.value = nn.Linear(width, hidden, bias=False)
        self.out = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Float[Tensor, "*n D"]) -> Float[Tensor, "*n D"]:
        return self.out(F.silu(self.gate(x)) * self.value(x))


class Layer(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, config: RT1Config) -> None:
        super().__init__()
        width = config.width
        self.norm_attention = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.attention = Attention(config)
        self.norm_forward = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        linear = config.feed_forward == "linear"
        hidden = config.hidden or 2 * width
        self.forward_layer = nn.Linear(width, width) if linear else SwiGLU(width, hidden)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Float[Tensor, "B N D"], mask: Bool[Tensor, "N N"]
    ) -> Float[Tensor, "B N D"]:
        x = x + self.attention(self.norm_attention(x), mask)
        return x + self.dropout(self.forward_layer(self.norm_forward(x)))


class Transformer(nn.Module):
    """Image tokens of up to T frames → logits of every action dimension of every frame."""

    mask: Tensor
    read_out: Tensor

    def __init__(self, config: RT1Config) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.token_width, config.width)
        self.position = nn.Embedding(config.frames * self.frame_length, config.width)
        self.position_bias = nn.Parameter(torch.zeros(config.width))
        nn.init.normal_(self.position.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.head = nn.Linear(config.width, config.bins)
        self.register_buffer("mask", attention_mask(config), persistent=False)
        first = config.image_tokens - 1
        slots = torch.arange(config.frames)[:, None] * self.frame_length + first
        read_out = slots + torch.arange(config.action_dims)
        self.register_buffer("read_out", read_out, persistent=False)

    @property
    def frame_length(self) -> int:
        return self.config.image_tokens + self.config.action_dims

    def forward(self, tokens: Float[Tensor, "B T K D"]) -> Float[Tensor, "B T A V"]:
        """Fewer frames than the window holds are its first ones: later slots change nothing."""
        return self.head(self.features(tokens)[:, self.read_out[: tokens.shape[1]]])

    def features(self, tokens: Float[Tensor, "B T K D"]) -> Float[Tensor, "B N W"]:
        """What the layers make of the whole sequence, one vector of the model's width a token."""
        frames = tokens.shape[1]
        # Action slots hold zero vectors, always: the original multiplies their embedding by zero.
        slots = tokens.new_zeros(*tokens.shape[:2], self.config.action_dims, tokens.shape[3])
        x = self.embed(torch.cat([tokens, slots], 2).flatten(1, 2))
        length = frames * self.frame_length
        x = x + self.position.weight[:length] + self.position_bias
        for layer in self.layers:
            x = layer(x, self.mask[:length, :length])
        return x


def attention_mask(config: RT1Config) -> Bool[Tensor, "N N"]:
    """True where the row may look at the column; drawn at the top of this file."""
    frame = torch.arange(config.image_tokens + config.action_dims)
    action = (frame >= config.image_tokens).repeat(config.frames)
    index = torch.arange(len(action))
    blind = action[:, None] | (not config.action_keys)
    return (index[None] <= index[:, None]) & ~(blind & action[None])


class RT1(Trainable):
    """The whole network: `tokenize` each frame once, then `decode` the window."""

    def __init__(self, config: RT1Config) -> None:
        super().__init__()
        self.config = config
        self.tokenizer = ImageTokenizer(config)
        self.transformer = Transformer(config)

    @property
    def history(self) -> int:
        return self.config.frames

    def tokenize(
        self, pixels: UInt8[Tensor, "N 3 H W"], sentence: Float[Tensor, "N E"]
    ) -> Float[Tensor, "N K D"]:
        """Image tokens of single frames; a policy keeps them, so a frame is seen only once."""
        return self.tokenizer(pixels, sentence)[0]

    def decode(self, tokens: Float[Tensor, "B T K D"]) -> Float[Tensor, "B T A V"]:
        """Logits for every frame of a window of image tokens, oldest first."""
        return self.transformer(tokens)

    def forward(
        self, pixels: UInt8[Tensor, "B T 3 H W"], sentence: Float[Tensor, "B E"]
    ) -> Float[Tensor, "B T A V"]:
        return self._forward(pixels, sentence)[0]

    def _forward(
        self, pixels: UInt8[Tensor, "B T 3 H W"], sentence: Float[Tensor, "B E"]
    ) -> tuple[Float[Tensor, "B T A V"], Float[Tensor, "BT K h w"] | None]:
        batch, frames = pixels.shape[:2]
        each = sentence.repeat_interleave(frames, 0)
        tokens, maps = self.tokenizer(pixels.flatten(0, 1), each)
        return self.decode(tokens.unflatten(0, (batch, frames))), maps

    @torch.no_grad()
    def begin_windows(self) -> None:
        """Let every frame of the window start from what the first one has learned of its positions.

        Single frames come first: a batch holds many more scenes of them than of windows.
        """
        weight = self.transformer.position.weight
        per_frame = weight.unflatten(0, (self.config.frames, -1))
        weight.copy_(per_frame[:1].expand_as(per_frame).flatten(0, 1))

    def loss(self, batch: Batch) -> Losses:
        """Cross-entropy on every valid frame, plus pointing where the batch knows places."""
        logits, maps = self._forward(batch.pixels, batch.instruction)
        valid = batch.valid
        logits = logits.float()[valid]
        action = self.action_loss(logits, batch)
        accuracy = (logits.argmax(-1) == batch.action_ids[valid]).float().mean()
        parts = {"action": action, "accuracy": accuracy}
        if self.config.points == 0 or batch.points is None or maps is None:
            return Losses(total=action, parts=parts)
        seen = valid.flatten()
        # The first tokens are told where to look; the others find their own places.
        pointing = maps[seen, : self.config.points].float()
        points = pointing_loss(pointing, batch.points.flatten(0, 1)[seen])
        return Losses(total=action + points, parts={**parts, "points": points})

    def action_loss(self, logits: Float[Tensor, "N A V"], batch: Batch) -> Float[Tensor, ""]:
        """Of the logits of every valid frame, in their order."""
        return bin_loss(logits, batch.action_ids[batch.valid], self.config.soft_bins)
