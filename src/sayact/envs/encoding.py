"""Sentences as arrays, the form in which Gymnasium observations carry them."""

import numpy as np
from jaxtyping import Int32

from sayact.schema.errors import ShapeError

INSTRUCTION_BYTES = 512  # of UTF-8, padded with zeros, as in Language-Table


def encode_instruction(instruction: str) -> Int32[np.ndarray, "512"]:
    """UTF-8 bytes as integers, padded with zeros."""
    encoded = instruction.encode()
    if len(encoded) > INSTRUCTION_BYTES:
        raise ShapeError(
            f"an instruction may have {INSTRUCTION_BYTES} bytes of UTF-8; this one has "
            f"{len(encoded)}: {instruction[:40]!r}… Shorten it."
        )
    padded = np.zeros(INSTRUCTION_BYTES, np.int32)
    padded[: len(encoded)] = np.frombuffer(encoded, np.uint8)
    return padded


def decode_instruction(encoded: Int32[np.ndarray, "512"]) -> str:
    """The inverse of `encode_instruction`."""
    return bytes(encoded[encoded != 0].astype(np.uint8)).decode()
