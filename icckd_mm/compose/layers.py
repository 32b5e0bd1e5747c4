"""The tensors of a classifier that distillers compare."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Layer:
    """A tensor that one of mmrazor's recorders can read.

    Attributes:
        source: Name of the module, as in ``named_modules()``.
        inputs: Whether it is the module's input, not its output.
        shape: Shape without the batch: ``(D,)``, a map ``(C, H, W)`` or tokens ``(N, D)``.
        data_idx: Index in the module's tuple of inputs or outputs; None if the output is one tensor.
        record_idx: Which of the module's calls, from 0: a shared ReLU is called several times in one pass.
        extra_tokens: Of tokens that are put into a map, how many come before those of the patches; None for all else.
    """

    source: str
    inputs: bool
    shape: tuple[int, ...]
    data_idx: int | None = None
    record_idx: int = 0
    extra_tokens: int | None = None

    @property
    def width(self) -> int:
        """Channels of a map, width of a vector or of a token."""
        return self.shape[0] if len(self.shape) == 3 else self.shape[-1]

    def as_map(self) -> Layer:
        """The layer as a map: itself, or its tokens in a square without those that come before the patches."""
        if len(self.shape) != 2:
            return self
        side = math.isqrt(self.shape[0])
        return replace(self, shape=(self.shape[1], side, side), extra_tokens=self.shape[0] - side * side)

    def recorder(self) -> dict[str, str]:
        """Config of the recorder that reads it."""
        return dict(type='ModuleInputs' if self.inputs else 'ModuleOutputs', source=self.source)


@dataclass(frozen=True)
class Stage:
    """The end of a stage of the backbone.

    Attributes:
        output: What the next stage reads.
        before_relu: The same map before its last ReLU; None if there is none.
        norm: Name of the batch norm that makes ``before_relu``'s last summand; None if there is none.
    """

    output: Layer
    before_relu: Layer | None = None
    norm: str | None = None


@dataclass(frozen=True)
class NetworkLayers:
    """What distillers can read of a classifier.

    Attributes:
        logits: ``(C,)``.
        pooled: The features that the classifier's last linear layer reads, ``(D,)``.
        last_map: The map that is pooled; None for a network without one.
        stem: Output of the layers before the first stage; None if it was not found.
        stages: Ends of the stages, first to last.
        loss_labels: The labels where the head's loss reads them; None if its loss takes none.
    """

    logits: Layer
    pooled: Layer
    last_map: Layer | None
    stem: Layer | None
    stages: tuple[Stage, ...]
    loss_labels: Layer | None

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.logits.width
