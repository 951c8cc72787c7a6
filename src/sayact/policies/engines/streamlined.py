"""RT-1 rewritten for acting: the same numbers, with all that is known beforehand computed once.

    sentence ─▶ Steering ─▶ scales and shifts of all FiLM layers          once an instruction
                   │
    picture ───▶ Frame ───▶ image tokens         batch norm folded away   once a frame
                   │
    T frames ──▶ Window ──▶ logits of one slot   one pass, last rows only once a frame

Every shape is fixed, so that a compiler can plan ahead. The window always holds T frames: those yet
to come are zero, and the mask hides them. Once it is full, the newest frame is in the last slot.
"""

# Half of these libraries' types are unknown to a strict checker.
# pyright: standard

import copy

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from sayact.models.layers.efficientnet import ConvNorm, FiLM
from sayact.models.rt1 import RT1, Attention, ImageTokenizer, Layer


class Steering(nn.Module):
    """Sentence → scales and shifts of all FiLM layers in one row: an eighth of the 35 M weights."""

    def __init__(self, tokenizer: ImageTokenizer) -> None:
        super().__init__()
        films = [m for m in tokenizer.modules() if isinstance(m, FiLM)]
        self.layers = nn.ModuleList(layer for m in films for layer in (m.scale, m.shift))
        self.sentence_scale = tokenizer.sentence_scale

    def forward(self, sentence: Float[Tensor, "1 E"]) -> Float[Tensor, "1 S"]:
        context = sentence * self.sentence_scale
        row = [layer(context) for layer in self.layers]
        # FiLM multiplies by one plus its scale.
        row[::2] = [1 + scale for scale in row[::2]]
        return torch.cat(row, 1)


class Steered(nn.Module):
    """Stands where a FiLM layer stood, and takes its scale and shift out of the row."""

    def __init__(self, start: int, channels: int) -> None:
        super().__init__()
        self.start, self.channels = start, channels

    def forward(
        self, x: Float[Tensor, "1 C H W"], steering: Float[Tensor, "1 S"]
    ) -> Float[Tensor, "1 C H W"]:
        middle, end = self.start + self.channels, self.start + 2 * self.channels
        scale, shift = steering[:, self.start : middle], steering[:, middle:end]
        return x * scale[..., None, None] + shift[..., None, None]


class Frame(nn.Module):
    """One picture, and what steers the network → its image tokens. Changes the one it is given."""

    def __init__(self, tokenizer: ImageTokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.tokenizer.sentence_scale = 1.0  # `Steering` has seen to it
        self.steering = 0  # length of the row
        for name, module in list(self.tokenizer.named_modules()):
            if isinstance(module, ConvNorm):
                _fold_norm(module)
            elif isinstance(module, FiLM):
                channels = module.scale.out_features
                self.tokenizer.set_submodule(name, Steered(self.steering, channels))
                self.steering += 2 * channels

    def forward(
        self, pixels: UInt8[Tensor, "1 3 H W"], steering: Float[Tensor, "1 S"]
    ) -> Float[Tensor, "1 K D"]:
        return self.tokenizer(pixels, steering)[0]


class Window(nn.Module):
    """The image tokens of T frames → logits of the frame in one slot."""

    image_start: Tensor
    action_start: Tensor
    bias: Tensor
    read_out: Tensor

    def __init__(self, model: RT1) -> None:
        super().__init__()
        transformer, config = model.transformer, model.config
        self.embed = nn.Linear(config.token_width, config.width, bias=False)
        self.embed.weight = transformer.embed.weight
        # All that does not depend on the picture. Action slots hold zeros: they are this alone.
        start = transformer.position.weight + transformer.position_bias + transformer.embed.bias
        image, action = start.unflatten(0, (config.frames, -1)).split(
            (config.image_tokens, config.action_dims), 1
        )
        self.register_buffer("image_start", image[None].contiguous())
        self.register_buffer("action_start", action[None].contiguous())
        visible = transformer.mask
        hidden = torch.zeros(visible.shape).masked_fill(~visible, float("-inf"))
        self.register_buffer("bias", hidden)
        self.register_buffer("read_out", transformer.read_out)
        self.layers = nn.ModuleList(
            WindowLayer(layer) for layer in transformer.layers if isinstance(layer, Layer)
        )
        self.head = transformer.head

    def forward(
        self, tokens: Float[Tensor, "1 T K D"], slot: Int64[Tensor, "1"]
    ) -> Float[Tensor, "A V"]:
        image = self.embed(tokens) + self.image_start
        x = torch.cat([image, self.action_start], 2).flatten(1, 2)
        for layer in self.layers[:-1]:
            x = layer(x, x, self.bias)
        # Nobody looks at the last layer but the head, and the head at few of its rows.
        rows = self.read_out[slot][0]
        return self.head(self.layers[-1](x[:, rows], x, self.bias[rows]))[0]


class WindowLayer(nn.Module):
    """A `Layer` that can be asked for some rows only."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        attention = layer.attention
        self.heads = attention.heads
        self.norm_attention, self.norm_forward = layer.norm_attention, layer.norm_forward
        self.query, self.key_value = _scaled_query(attention), _joined(attention)
        self.out, self.forward_layer = attention.out, layer.forward_layer

    def forward(
        self, rows: Float[Tensor, "1 R W"], x: Float[Tensor, "1 N W"], bias: Float[Tensor, "R N"]
    ) -> Float[Tensor, "1 R W"]:
        normed = self.norm_attention(x)
        q = self.query(normed if rows is x else self.norm_attention(rows))
        k, v = self.key_value(normed).chunk(2, -1)
        q, k, v = (y.unflatten(-1, (self.heads, -1)).transpose(1, 2) for y in (q, k, v))
        y = (q @ k.transpose(2, 3) + bias).softmax(-1) @ v
        rows = rows + self.out(y.transpose(1, 2).flatten(2))
        return rows + self.forward_layer(self.norm_forward(rows))


def _fold_norm(layer: ConvNorm) -> None:
    """Batch norm with running statistics is one factor and one summand a channel: weights, bias."""
    conv, norm = layer[1], layer[2]
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    folded = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # pyright: ignore[reportArgumentType]
        conv.stride,  # pyright: ignore[reportArgumentType]
        conv.padding,  # pyright: ignore[reportArgumentType]
        groups=conv.groups,
    )
    folded.weight, folded.bias = fuse_conv_bn_weights(
        conv.weight,
        conv.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    layer[1], layer[2] = folded, nn.Identity()


def _scaled_query(attention: Attention) -> nn.Linear:
    """The query's projection with the 1/√d of attention in it."""
    query = copy.deepcopy(attention.query)
    scale = (query.out_features // attention.heads) ** -0.5
    with torch.no_grad():
        query.weight *= scale
        query.bias *= scale
    return query


def _joined(attention: Attention) -> nn.Linear:
    """Key and value in one matrix: one long product instead of two."""
    key, value = attention.key, attention.value
    joined = nn.Linear(key.in_features, key.out_features + value.out_features)
    joined.weight = nn.Parameter(torch.cat([key.weight, value.weight]))
    joined.bias = nn.Parameter(torch.cat([key.bias, value.bias]))
    return joined
