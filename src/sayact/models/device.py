"""Where a network may be computed on this machine."""

import torch

from sayact.schema.errors import SayactError


def devices() -> tuple[str, ...]:
    """The names that `--device` takes here: the CPU, and every GPU that PyTorch can use."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    apple = ("mps",) if torch.backends.mps.is_available() else ()
    return ("cpu", *(("cuda",) if gpus else ()), *(f"cuda:{i}" for i in gpus), *apple)


def require_device(device: str) -> None:
    """Raises SayactError where this machine has no such device."""
    here = devices()
    if device in here:
        return
    advice = (
        "PyTorch sees no such GPU: it may have been installed without CUDA, or the driver is "
        "missing. Mend that, or leave the device out to compute on the CPU."
        if device.split(":")[0] == "cuda"
        else "Name one of these."
    )
    raise SayactError(f"no device {device!r} here; there are: {', '.join(here)}. {advice}")
