"""From a name on the hub, or a folder, to a backbone.

    config.json ── which class ──▶ network of transformers ◀── model.safetensors
    tokenizer.json ── ids around the picture ──▶ HubConfig ◀── colours ── preprocessor_config.json
                                                    │
                                 from_config ◀── to_json: a checkpoint of ours holds it

Safetensors only; code and pickles that a folder may hold are not touched.
"""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from sayact.config import from_json
from sayact.models.checkpoint import read_json
from sayact.models.vlms.adapters import LoraConfig, add_lora
from sayact.models.vlms.hub import Colour, HubConfig, HubVLM
from sayact.models.vlms.idefics3 import Idefics3
from sayact.models.vlms.paligemma import PaliGemma
from sayact.models.vlms.quantize import quantize_linears
from sayact.models.vlms.qwen import Qwen3, Qwen25
from sayact.schema.errors import CheckpointError, MissingExtraError, SayactError

# transformers' names of the architectures ("model_type" in config.json), and ours for each.
KINDS: dict[str, type[HubVLM]] = {
    "paligemma": PaliGemma,
    "idefics3": Idefics3,
    "smolvlm": Idefics3,
    "qwen2_5_vl": Qwen25,
    "qwen3_vl": Qwen3,
}
CONFIG, TOKENIZER = "config.json", "tokenizer.json"
PREPROCESSORS = "preprocessor_config.json", "processor_config.json"
WEIGHTS = "*.safetensors"


class UnfitBackboneError(SayactError):
    """A model that RT-2 cannot be built on."""


def load_vlm(
    name_or_folder: str | Path,
    *,
    lora: LoraConfig | None = None,
    checkpointing: bool = False,
    dtype: torch.dtype = torch.float32,
    quantize: str | None = None,
    image_size: tuple[int, int] | None = None,
) -> HubVLM:
    """A pretrained backbone, by a name such as "google/paligemma2-3b-pt-224" or a folder.

    lora: freeze it and train small matrices beside its own. checkpointing: compute activations
    again when training, in place of keeping them. quantize: keep the weights of its layers in
    "int8" or "int4". image_size: height and width of its pictures, where it takes more than one.
    Raises UnfitBackboneError, CheckpointError, or MissingExtraError where transformers is missing.
    """
    folder = _folder(str(name_or_folder))
    described = read_json(folder / CONFIG)
    kind = _kind(described, str(name_or_folder))
    config = _describe(folder, described, kind, image_size)
    vlm = kind(config, _read_network(folder, dtype))
    return _prepared(vlm, lora, checkpointing, quantize)


def from_config(
    data: dict[str, Any],
    *,
    lora: LoraConfig | None = None,
    checkpointing: bool = False,
    dtype: torch.dtype = torch.float32,
) -> HubVLM:
    """The backbone that `to_json` described, with weights drawn at random: load your own."""
    transformers = import_transformers()
    config = from_json(HubConfig, data)
    kind = _kind(config.network, "the architecture")
    shape = transformers.CONFIG_MAPPING[config.kind].from_dict(deepcopy(config.network))
    network = transformers.AutoModelForImageTextToText.from_config(shape, dtype=dtype)
    return _prepared(kind(config, network), lora, checkpointing, None)


def import_transformers() -> Any:
    """The library, or an error that names the extra."""
    try:
        import transformers
    except ImportError as missing:
        raise MissingExtraError("transformers", "vlm") from missing
    return transformers


def _prepared(
    vlm: HubVLM,
    lora: LoraConfig | None,
    checkpointing: bool,
    quantize: str | None,
) -> HubVLM:
    if checkpointing:
        # Versions of transformers 5 before this name have only the one that it replaces.
        new = getattr(vlm.body, "activation_checkpointing_enable", None)
        # Reentrant checkpoints lose the gradient where no input needs one, as under LoRA.
        (new or vlm.body.gradient_checkpointing_enable)({"use_reentrant": False})
    if quantize is not None:
        quantize_linears(vlm, quantize)
    if lora is not None:
        add_lora(vlm, lora)
    return vlm.eval()


def _folder(name: str) -> Path:
    """The files of a model, downloaded where the name is not a folder."""
    if Path(name).is_dir():
        if not (Path(name) / CONFIG).is_file():
            raise CheckpointError(f"{name} is not a backbone: it lacks {CONFIG}")
        return Path(name)
    import_transformers()  # huggingface_hub comes with it
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", WEIGHTS]))
    except (OSError, ValueError, HFValidationError) as error:
        raise CheckpointError(
            f"{name!r} is neither a folder nor a model that the Hugging Face hub gave us: "
            f"{str(error).splitlines()[0].rstrip('.')}. Give a folder, or a name as in "
            "huggingface.co/NAME that you have access to."
        ) from error


def _kind(network: dict[str, Any], name: str) -> type[HubVLM]:
    known = ", ".join(sorted(KINDS))
    model = network.get("model_type")
    if model in KINDS:
        if not network.get("vision_config"):
            raise UnfitBackboneError(
                f"{name} is a {model} without a vision tower in its config.json"
            )
        return KINDS[model]
    if not any(part in key for key in network for part in ("vision", "image_token")):
        raise UnfitBackboneError(
            f"{name} is a {model!r}, which has no image tokens: RT-2 needs a backbone that sees. "
            f"These kinds are known: {known}."
        )
    raise UnfitBackboneError(
        f"{name} is a {model!r}, which Sayact does not know. These kinds are: {known}. "
        "Another is one file in models/vlms/."
    )


def _describe(
    folder: Path, described: dict[str, Any], kind: type[HubVLM], asked: tuple[int, int] | None
) -> HubConfig:
    """What we add to the network's own config: read once here, kept in our checkpoints."""
    transformers = import_transformers()
    # Fields that config.json leaves out have defaults there.
    shape = transformers.CONFIG_MAPPING[described["model_type"]].from_dict(deepcopy(described))
    before, after = kind.surroundings(TokenizerWords.read(folder / TOKENIZER))
    mean, std = _colours(folder, kind)
    return HubConfig(
        network=described,
        before=before,
        after=after,
        image_size=kind.picture_size(shape.vision_config.to_dict(), asked),
        image_mean=mean,
        image_std=std,
    )


def _colours(folder: Path, kind: type[HubVLM]) -> tuple[Colour, Colour]:
    """Mean and deviation of red, green and blue that the network learned with."""
    for name in PREPROCESSORS:
        if (folder / name).is_file():
            content = read_json(folder / name)
            content = content.get("image_processor", content)
            if "image_mean" in content and "image_std" in content:
                return tuple(content["image_mean"]), tuple(content["image_std"])
    return kind.mean, kind.std


def _read_network(folder: Path, dtype: torch.dtype) -> Any:
    """Every weight from safetensors; one that is missing would otherwise be drawn at random."""
    if not any(folder.glob(WEIGHTS)):
        raise CheckpointError(
            f"{folder} has no .safetensors. Other formats are not read, because opening them runs "
            "code; convert with `save_pretrained` where you trust the file."
        )
    transformers = import_transformers()
    try:
        network, found = transformers.AutoModelForImageTextToText.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{folder} cannot be read: {error}") from error
    wrong = sorted(found["missing_keys"]) + [str(key) for key in found["mismatched_keys"]]
    if wrong:
        raise CheckpointError(
            f"{folder}: {len(wrong)} weights are missing or of another shape than config.json "
            f"says, for instance {', '.join(wrong[:3])}"
        )
    return network


@dataclass(frozen=True)
class TokenizerWords:
    """Special tokens and text of a tokenizer.json as ids."""

    tokenizer: Any
    file: Path

    @classmethod
    def read(cls, file: Path) -> "TokenizerWords":
        if not file.is_file():
            raise CheckpointError(f"{file.parent} is not a backbone: it lacks {TOKENIZER}")
        import_transformers()  # tokenizers comes with it
        from tokenizers import Tokenizer

        try:
            return cls(Tokenizer.from_file(str(file)), file)
        except Exception as error:  # the library raises nothing more special
            raise CheckpointError(f"{file} cannot be read: {error}") from error

    def special(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise CheckpointError(
                f"{self.file} has no token {token}, which stands beside this kind of backbone's "
                "pictures; is the tokenizer another model's?"
            )
        return found

    def text(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False).ids)
