"""`Batch` → logits, and the checkpoint format."""

from sayact.models.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from sayact.models.describe import describe
from sayact.models.rt1 import RT1, RT1Config

__all__ = ["RT1", "Checkpoint", "RT1Config", "describe", "read_checkpoint", "save_checkpoint"]
