"""Names of the TensorFlow release (google-research/robotics_transformer), by rule.

A name is the path of objects below the actor network. A training checkpoint writes it between
"agent/_actor_network/" and "/.ATTRIBUTES/VARIABLE_VALUE". A SavedModel numbers the variables
instead, as model_variables/1, /2, …, in the order below; its model_variables/0 is the step.

    _image_tokenizer/_tokenizer/net/layer_with_weights-N/…   Keras layers that hold weights, in
                                                             the order of the data, 0 … 234
    _transformer/_layers/N/…                                 one block
"""

from torch import nn

from sayact.models.layers.efficientnet import FiLM
from sayact.models.released.variables import Names, Variable
from sayact.models.rt1 import RT1Config

TOKENIZER = "_image_tokenizer/_tokenizer"
LEARNER = "_image_tokenizer/_token_learner"
NORMALISATION = f"{TOKENIZER}/net/layer_with_weights-0"
LAYERS = "_transformer/_layers/"


def tensorflow(config: RT1Config) -> tuple[Variable, ...]:
    """Every variable, in the order in which a SavedModel counts them."""
    names = Names(config)
    # The network multiplies what comes out of this layer by zero: it never mattered, in training
    # or after it.
    names.add_dead("_action_token_emb/kernel", config.bins, config.token_width)
    names.add_dead("_action_token_emb/bias", config.token_width)
    names.dense("tokenizer.project", f"{TOKENIZER}/conv1x1", "convolution", bias=False)
    _backbone(names)
    _film(names, "tokenizer.film", f"{TOKENIZER}/film_layer")
    if config.token_learner:
        names.dense("tokenizer.token_learner.hidden", f"{LEARNER}/mlp/_hidden_layer")
        names.dense("tokenizer.token_learner.out", f"{LEARNER}/mlp/_output_layer")
        _norm(names, "tokenizer.token_learner.norm", f"{LEARNER}/layernorm")
    for number in range(config.layers):
        _layer(names, f"transformer.layers.{number}", f"{LAYERS}{number}")
    names.dense("transformer.head", "_transformer/_output_tokens")
    # Positions are one-hot vectors through a dense layer there: its kernel is our table.
    names.add("transformer.position.weight", "_transformer/_position_emb/kernel")
    names.add("transformer.position_bias", "_transformer/_position_emb/bias")
    names.dense("transformer.embed", "_transformer/_token_emb")
    return tuple(names.variables)


def _backbone(names: Names) -> None:
    """Our modules that hold weights come in the order in which Keras numbers its layers."""
    for leaf in ("mean", "variance"):
        names.add_constant(f"{NORMALISATION}/{leaf}", 3)
    names.add_dead(f"{NORMALISATION}/count")  # how many pictures the mean was taken over: 0
    number = 0
    for path, module in names.model.tokenizer.backbone.named_modules():
        ours = f"tokenizer.backbone.{path}"
        theirs = f"{TOKENIZER}/net/layer_with_weights-{number + 1}"
        if isinstance(module, nn.Conv2d):
            if module.groups > 1:
                names.add(f"{ours}.weight", f"{theirs}/depthwise_kernel", "depthwise")
            else:
                names.dense(ours, theirs, "convolution", bias=module.bias is not None)
        elif isinstance(module, nn.BatchNorm2d):
            names.add(f"{ours}.running_mean", f"{theirs}/moving_mean")
            names.add(f"{ours}.running_var", f"{theirs}/moving_variance")
            _norm(names, ours, theirs)
        elif isinstance(module, FiLM):
            _film(names, ours, theirs)
        else:
            continue
        number += 1


def _layer(names: Names, ours: str, theirs: str) -> None:
    _norm(names, f"{ours}.norm_attention", f"{theirs}/layernorm1")
    names.into_heads(f"{ours}.attention.key", f"{theirs}/mha1/_key_dense")
    names.dense(f"{ours}.attention.out", f"{theirs}/mha1/_output_dense", "out of heads")
    names.into_heads(f"{ours}.attention.query", f"{theirs}/mha1/_query_dense")
    names.into_heads(f"{ours}.attention.value", f"{theirs}/mha1/_value_dense")
    names.dense(f"{ours}.forward_layer", f"{theirs}/ff")
    _norm(names, f"{ours}.norm_forward", f"{theirs}/layernorm2")


def _film(names: Names, ours: str, theirs: str) -> None:
    names.dense(f"{ours}.shift", f"{theirs}/_projection_add")
    names.dense(f"{ours}.scale", f"{theirs}/_projection_mult")


def _norm(names: Names, ours: str, theirs: str) -> None:
    names.add(f"{ours}.weight", f"{theirs}/gamma")
    names.add(f"{ours}.bias", f"{theirs}/beta")
