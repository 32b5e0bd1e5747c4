"""A candidate of a tuning: values of the loss, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass, field

CONTROL = 0  # its number
Values = dict[str, float]


@dataclass(frozen=True)
class Candidate:
    """Values of the loss.

    Attributes:
        number: Number of its trial in the study.
        values: ``loss_weight``, ``margin`` and ``temperature``.
        is_default: Whether the values are those of the config.
    """

    number: int
    values: Values = field(hash=False)
    is_default: bool = False

    @classmethod
    def control(cls, default: Values) -> Candidate:
        """The candidate with the same views, but without the loss."""
        return cls(CONTROL, {**default, 'loss_weight': 0.0})

    @property
    def is_control(self) -> bool:
        """Whether it is the control."""
        return self.number == CONTROL

    @property
    def name(self) -> str:
        """What the report calls it."""
        if self.is_control:
            return 'control (λ = 0)'
        return 'default' if self.is_default else f'candidate {self.number}'

    def __str__(self) -> str:
        values = self.values
        return f'{self.name}: λ {values["loss_weight"]:g}, δ {values["margin"]:g}, τ {values["temperature"]:g}'
