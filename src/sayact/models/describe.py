"""A network drawn from itself: its token sequence, its attention mask, where its parameters are.

Everything is read off the module that computes, so the drawing cannot promise another network.
"""

from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from sayact.models.layers.efficientnet import B3
from sayact.models.rt1 import RT1, RT1Config
from sayact.models.shapes import PAPER

MASK_FRAMES = 2  # the pattern of two frames is that of all
SEES, BLIND = "■", "·"


def describe(model: RT1) -> str:
    """Plain text in three parts, for people; a training run keeps it as model.txt."""
    parts = (_sequence(model), _mask(model), _parameters(model))
    return "\n\n".join(parts) + "\n"


def _sequence(model: RT1) -> str:
    config, transformer = model.config, model.transformer
    frame = "i" * config.image_tokens + "a" * config.action_dims
    shown = min(config.frames, MASK_FRAMES)
    more = " │ …" if config.frames > shown else ""
    reads = [" "] * (shown * len(frame))
    for slots in transformer.read_out[:shown].tolist():
        for index in slots:
            reads[index] = "^"
    row = "".join(reads)
    return (
        f"tokens: {config.frames} frames × ({config.image_tokens} image + {config.action_dims} "
        f"action slots) = {len(transformer.mask)}\n"
        f"  {' │ '.join([frame] * shown)}{more}\n"
        f"  {' │ '.join(row[n * len(frame) :][: len(frame)] for n in range(shown))}{more}\n"
        "  i image token, a action slot (holds zero), ^ where the logits of the action dimensions "
        "are read"
    )


def _mask(model: RT1) -> str:
    frames = min(MASK_FRAMES, model.config.frames)
    names = ("i" * model.config.image_tokens + "a" * model.config.action_dims) * frames
    rows = model.transformer.mask[: len(names), : len(names)].tolist()
    drawn = ["".join(SEES if sees else BLIND for sees in row) for row in rows]
    return "\n".join(
        [
            f"attention: a row sees the columns marked {SEES}; the first frames",
            f"    {names}",
            *(f"  {name} {row}" for name, row in zip(names, drawn, strict=True)),
        ]
    )


def _parameters(model: RT1) -> str:
    counts = dict(_split(model))
    width = max(map(len, counts))
    total = sum(p.numel() for p in model.parameters())
    lines = [
        f"  {name:<{width}} {count:>12,} {100 * count / total:5.1f} %"
        for name, count in counts.items()
    ]
    summary = [f"  {'total':<{width}} {total:>12,}", *_notes(model)]
    return "\n".join(["parameters", *lines, *summary])


def _notes(model: RT1) -> Iterator[str]:
    """What the sum of the parts does not say."""
    config = model.config
    frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    if frozen:
        yield f"  of these {frozen:,} are frozen"
    statistics = sum(b.numel() for name, b in model.named_buffers() if "running_" in name)
    yield f"  and {statistics:,} running statistics of batch norm, which follow the data"
    if _is_of_the_tensorflow_release(config):
        dead = (config.bins + 1) * config.token_width
        yield f"  without {dead:,} of the release: an action embedding that it multiplies by zero"


def _is_of_the_tensorflow_release(config: RT1Config) -> bool:
    """By what no size changes: its image network, its mask and its eleven numbers."""
    backbone = replace(config.backbone, mean=B3.mean, std=B3.std)
    return backbone == B3 and config.action_keys and config.action_dims == PAPER.action_dims


def _split(model: RT1) -> Iterator[tuple[str, int]]:
    """Parameters of every part in the order of the data; together they are all there are."""
    tokenizer, transformer = model.tokenizer, model.transformer
    films = (block.film for block in tokenizer.backbone.blocks)
    in_blocks = _size(*films)  # pyright: ignore[reportArgumentType]
    yield "image network", _size(tokenizer.backbone) - in_blocks
    yield "FiLM in its blocks", in_blocks
    yield "1×1 projection", _size(tokenizer.project)
    yield "last FiLM", _size(tokenizer.film)
    if tokenizer.token_learner is not None:
        yield "TokenLearner", _size(tokenizer.token_learner)
    yield "transformer", _size(transformer) - _size(transformer.head)
    yield "head", _size(transformer.head)


def _size(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def describe_parts(model: nn.Module) -> str:
    """Where the parameters of any network are, by the names of its parts."""
    counts = {name: _size(part) for name, part in model.named_children()}
    total = sum(p.numel() for p in model.parameters())
    if total > sum(counts.values()):
        counts["its own"] = total - sum(counts.values())
    width = max(map(len, (*counts, "total")))
    rows = [
        f"  {name:<{width}} {count:>13,} {100 * count / max(total, 1):5.1f} %"
        for name, count in counts.items()
    ]
    return "\n".join(["parameters", *rows, f"  {'total':<{width}} {total:>13,}"]) + "\n"
