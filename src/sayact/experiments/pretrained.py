"""Where a backbone's ImageNet weights may lie on this machine, and what a run says about them.

    sayact train --backbone PATH  ▷  $SAYACT_BACKBONE  ▷  google/efficientnet-b3 in the Hugging Face
                                                          cache  ▷  none: random weights

Nothing is downloaded. What was found, or that nothing was, is printed, stands in the run's log and
recipe.json, and travels in the checkpoint: a network that began from nothing must not be taken for
one that did not.
"""

import hashlib
import os
from pathlib import Path

from sayact.models.rt1 import RT1
from sayact.schema.errors import SayactError

VARIABLE = "SAYACT_BACKBONE"
# Its pytorch_model.bin is a pickle, which is never opened.
HUB_NAME, HUB_FILE = "google/efficientnet-b3", "model.safetensors"
FROM_SCRATCH = (
    "backbone: random weights, for no ImageNet weights were found (looked at --backbone, "
    f"${VARIABLE} and the Hugging Face cache of {HUB_NAME})"
)


def find_backbone(given: Path | None) -> Path | None:
    """The first of the places above that is there; an error where one that was named is not."""
    named = os.environ.get(VARIABLE)
    for path, name in ((given, "--backbone"), (Path(named) if named else None, f"${VARIABLE}")):
        if path is not None:
            if not path.exists():
                raise SayactError(f"{name} is {path}, which does not exist")
            return path
    return cached_from_hub()


def cached_from_hub() -> Path | None:
    """The weights' file, if the Hugging Face cache holds it already."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(HUB_NAME, HUB_FILE)
    return Path(found) if isinstance(found, str) else None  # else: known to be missing, or unknown


def start_backbone(model: RT1, given: Path | None) -> str:
    """Put ImageNet weights into the backbone where there are any; one line that says which."""
    path = find_backbone(given)
    if path is None:
        return FROM_SCRATCH
    from sayact.models.released.imagenet import load_backbone

    load_backbone(model, path)
    return f"backbone: ImageNet weights of {path.name} ({_digest(path)})"


def _digest(path: Path) -> str:
    """Enough of the content's SHA-256 to tell two files apart."""
    file = path / HUB_FILE if path.is_dir() else path
    if not file.is_file():
        return "a folder"
    with file.open("rb") as stream:
        return f"sha256 {hashlib.file_digest(stream, 'sha256').hexdigest()[:12]}"
