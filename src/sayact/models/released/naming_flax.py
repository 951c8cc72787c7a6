"""Names of the flax release (google-deepmind/open_x_embodiment: RT-1-X), by rule.

params/image_tokenizer/EfficientNetWithFilm_0/{Stem_0, MBConvBlock_N, FilmConditioning_N, Head_0}
params/image_tokenizer/{Conv_0, FilmConditioning_0, TokenLearnerModuleV11_0}
params/Transformer_0/{TransformerBlock_N, Dense_0 tokens, Dense_1 positions, Dense_2 head}
batch_stats/…                                         running mean and variance, same paths
"""

from sayact.models.released.variables import Names, Variable
from sayact.models.rt1 import RT1Config

TOKENIZER = "image_tokenizer"
BACKBONE = f"{TOKENIZER}/EfficientNetWithFilm_0"
LEARNER = f"params/{TOKENIZER}/TokenLearnerModuleV11_0"
TRANSFORMER = "params/Transformer_0"
LAYERS = f"{TRANSFORMER}/TransformerBlock_"


def flax(config: RT1Config) -> tuple[Variable, ...]:
    """Every variable, in the order of the data."""
    names = Names(config)
    _backbone(names, config)
    projection = f"params/{TOKENIZER}/Conv_0"
    names.dense("tokenizer.project", projection, "convolution", bias=False)
    _film(names, "tokenizer.film", f"{TOKENIZER}/FilmConditioning_0")
    if config.token_learner:
        _norm(names, "tokenizer.token_learner.norm", f"{LEARNER}/LayerNorm_0")
        names.dense("tokenizer.token_learner.hidden", f"{LEARNER}/token_masking/Dense_0")
        names.dense("tokenizer.token_learner.out", f"{LEARNER}/token_masking/Dense_1")
    names.dense("transformer.embed", f"{TRANSFORMER}/Dense_0")
    # Positions are one-hot vectors through a dense layer there: its kernel is our table.
    names.add("transformer.position.weight", f"{TRANSFORMER}/Dense_1/kernel")
    names.add("transformer.position_bias", f"{TRANSFORMER}/Dense_1/bias")
    for number in range(config.layers):
        _layer(names, f"transformer.layers.{number}", f"{LAYERS}{number}")
    names.dense("transformer.head", f"{TRANSFORMER}/Dense_2")
    return tuple(names.variables)


def _backbone(names: Names, config: RT1Config) -> None:
    ours = "tokenizer.backbone"
    _convolution(names, f"{ours}.stem", f"{BACKBONE}/Stem_0", "conv2d", "batch_normalization")
    expansions = [s.expansion for s in config.backbone.stages for _ in range(s.repeats)]
    for number, expansion in enumerate(expansions):
        block = f"{BACKBONE}/MBConvBlock_{number}"
        _block(names, f"{ours}.blocks.{number}.layers", block, expanded=expansion != 1)
        film = f"{BACKBONE}/FilmConditioning_{number}"
        _film(names, f"{ours}.blocks.{number}.film", film)
    _convolution(names, f"{ours}.top", f"{BACKBONE}/Head_0", "conv2d", "batch_normalization")


def _block(names: Names, ours: str, theirs: str, expanded: bool) -> None:
    """[expand], depthwise, squeeze and excite, project; batch norms count within the block."""
    first = int(expanded)  # where the depthwise convolution stands
    if expanded:
        _convolution(names, f"{ours}.0", theirs, "expand_conv2d_0", "batch_normalization_0")
    depthwise = f"params/{theirs}/depthwise_conv2d/depthwise_kernel"
    names.add(f"{ours}.{first}.1.weight", depthwise, "depthwise")
    _batch_norm(names, f"{ours}.{first}.2", f"{theirs}/batch_normalization_{first}")
    for part in ("reduce", "expand"):
        squeeze = f"params/{theirs}/SqueezeExcite_0/{part}_conv2d_0"
        names.dense(f"{ours}.{first + 1}.{part}", squeeze, "convolution")
    normed = f"batch_normalization_{first + 1}"
    _convolution(names, f"{ours}.{first + 2}", theirs, "project_conv2d_0", normed)


def _convolution(names: Names, ours: str, theirs: str, convolution: str, norm: str) -> None:
    """Our ConvNorm: padding, convolution, batch norm, swish."""
    names.dense(f"{ours}.1", f"params/{theirs}/{convolution}", "convolution", bias=False)
    _batch_norm(names, f"{ours}.2", f"{theirs}/{norm}")


def _batch_norm(names: Names, ours: str, theirs: str) -> None:
    _norm(names, ours, f"params/{theirs}")
    names.add(f"{ours}.running_mean", f"batch_stats/{theirs}/mean")
    names.add(f"{ours}.running_var", f"batch_stats/{theirs}/var")


def _layer(names: Names, ours: str, theirs: str) -> None:
    _norm(names, f"{ours}.norm_attention", f"{theirs}/LayerNorm_0")
    attention = f"{theirs}/MultiHeadDotProductAttention_0"
    for part in ("query", "key", "value"):
        names.into_heads(f"{ours}.attention.{part}", f"{attention}/{part}")
    names.dense(f"{ours}.attention.out", f"{attention}/out", "out of heads")
    _norm(names, f"{ours}.norm_forward", f"{theirs}/LayerNorm_1")
    for number, part in enumerate(("gate", "value", "out")):
        names.dense(f"{ours}.forward_layer.{part}", f"{theirs}/Dense_{number}", bias=False)


def _film(names: Names, ours: str, theirs: str) -> None:
    names.dense(f"{ours}.shift", f"params/{theirs}/Dense_0")
    names.dense(f"{ours}.scale", f"params/{theirs}/Dense_1")


def _norm(names: Names, ours: str, theirs: str) -> None:
    names.add(f"{ours}.weight", f"{theirs}/scale")
    names.add(f"{ours}.bias", f"{theirs}/bias")
