"""What the training loop asks of a network, whichever it is."""

from abc import ABC, abstractmethod
from typing import Any, TypeVar

import torch
from torch import nn

from sayact.models.losses import Losses

Network = TypeVar("Network", bound=nn.Module)


class Trainable(nn.Module, ABC):
    """A network that knows its loss. What is not abstract here fits most networks."""

    @property
    def history(self) -> int:
        """How many frames a window holds once training has gone from single frames to windows."""
        return 1

    @abstractmethod
    def loss(self, batch: Any) -> Losses:
        """Of one batch of the kind that this network reads (`sayact.schema.batches`)."""

    def channels_last(self: Network, device: str) -> Network:
        """Move to `device`, in the memory order that convolutions are fastest in."""
        moved = self.to(device)
        for parameter in moved.parameters():
            if parameter.ndim == 4:  # kernels for video have five axes, and no such order
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return moved

    def begin_windows(self) -> None:
        """Called once, when training goes from single frames to windows."""
        return

    def hold_statistics(self) -> None:
        """Normalise by the running statistics from here on, in training too.

        A batch of windows holds few scenes, several times each: its own statistics would be noise.
        """
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    def compile_network(self) -> None:
        """Each direct child by torch.compile; what is saved and loaded stays the same.

        The loss stays as it is: how much of a batch carries loss changes with every batch.
        """
        for child in self.children():
            child.compile()
