"""What a distiller adds to a config."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from icckd_mm.compose.layers import Layer, NetworkLayers


@dataclass(frozen=True)
class Pair:
    """A teacher and a student, as the distillers see them.

    Attributes:
        teacher: Its layers.
        student: Its layers.
        names: Names of both in the benchmark, for settings published by pair; None for other networks.
        recipe: ``'cifar'`` or ``'imagenet'``: which published settings apply.
        train_images: Number of training images, for losses with a memory.
        epochs: Length of the student's training, for schedules of a loss.
    """

    teacher: NetworkLayers
    student: NetworkLayers
    names: tuple[str, str] | None
    recipe: str
    train_images: int
    epochs: int = 240


GROUPS = (
    'student_recorders',
    'teacher_recorders',
    'connectors',
    'losses',
    'mappings',
    'algorithm',
    'architecture',
    'config',
    'starts_from',
)  # of parts, in which each name may have one meaning only


@dataclass
class Parts:
    """Recorders, connectors and losses of a distiller, and what it asks of the rest of the config.

    Attributes:
        ce_weight: Weight of the student's cross-entropy; None if the distiller leaves the choice to the others of a mix.
        student_recorders: By name.
        teacher_recorders: By name.
        connectors: By name.
        losses: By name, each name begins with ``loss_``.
        mappings: ``loss_forward_mappings``.
        hooks: Entries of ``custom_hooks``, such as a warm-up.
        algorithm: More arguments of ``SafeTeacherDistill``.
        architecture: Changes to the student's config.
        config: More keys of the config, such as another ``data_preprocessor``.
        starts_from: Part of the model by name (``'architecture'``, ``'distiller'``), and the distiller whose last checkpoint it
            starts from.
        data: Suffix of the data set's part of a config, such as ``'weak_strong_views'``; None for one view.
    """

    ce_weight: float | None = None
    student_recorders: dict[str, dict] = field(default_factory=dict)
    teacher_recorders: dict[str, dict] = field(default_factory=dict)
    connectors: dict[str, dict] = field(default_factory=dict)
    losses: dict[str, dict] = field(default_factory=dict)
    mappings: dict[str, dict] = field(default_factory=dict)
    hooks: list[dict] = field(default_factory=list)
    algorithm: dict[str, Any] = field(default_factory=dict)
    architecture: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    starts_from: dict[str, str] = field(default_factory=dict)
    data: str | None = None

    def student(self, name: str, layer: Layer, connector: str | None = None) -> dict[str, Any]:
        """Record a layer of the student; returns the argument of a loss that reads it."""
        return _recorded(self.student_recorders, name, layer, True, self._as_map(f'{name}_student', layer, connector))

    def teacher(self, name: str, layer: Layer, connector: str | None = None) -> dict[str, Any]:
        """Record a layer of the teacher; returns the argument of a loss that reads it."""
        return _recorded(self.teacher_recorders, name, layer, False, self._as_map(f'{name}_teacher', layer, connector))

    def _as_map(self, name: str, layer: Layer, connector: str | None) -> str | None:
        """The connector of a layer; tokens that are used as a map pass one that makes it first."""
        if layer.extra_tokens is None:
            return connector
        if connector is not None and connector not in self.connectors:
            raise ValueError(f'connector {connector!r} is named before it is entered; enter it first')
        inner = {} if connector is None else dict(connector=self.connectors[connector])
        if connector is None or inner['connector']['type'] != 'icckd_mm.TokensToMap':
            self.connectors[connector or name] = dict(type='icckd_mm.TokensToMap', extra_tokens=layer.extra_tokens, **inner)
        return connector or name

    def student_parameter(self, name: str, source: str) -> dict[str, Any]:
        """Record a parameter of the student; returns the argument of a loss that reads it."""
        return _entered(self.student_recorders, name, dict(type='Parameter', source=source), True)

    def teacher_parameter(self, name: str, source: str) -> dict[str, Any]:
        """Record a parameter of the teacher; returns the argument of a loss that reads it."""
        return _entered(self.teacher_recorders, name, dict(type='Parameter', source=source), False)

    def add(self, name: str, loss: dict, **arguments: dict) -> None:
        """Add a loss and where its arguments come from."""
        self.losses[name] = loss
        self.mappings[name] = arguments

    def distiller(self) -> dict[str, Any]:
        """Config of mmrazor's distiller."""
        filled = dict(
            student_recorders=self.student_recorders,
            teacher_recorders=self.teacher_recorders,
            connectors=self.connectors,
            distill_losses=self.losses,
            loss_forward_mappings=self.mappings,
        )
        return dict(type='ConfigurableDistiller', **{key: value for key, value in filled.items() if value})


def _recorded(recorders: dict[str, dict], name: str, layer: Layer, from_student: bool, connector: str | None) -> dict[str, Any]:
    argument = _entered(recorders, name, layer.recorder(), from_student)
    if layer.data_idx is not None:
        argument['data_idx'] = layer.data_idx
    if layer.record_idx:
        argument['record_idx'] = layer.record_idx
    if connector is not None:
        argument['connector'] = connector
    return argument


def _entered(recorders: dict[str, dict], name: str, recorder: dict, from_student: bool) -> dict[str, Any]:
    if recorders.setdefault(name, recorder) != recorder:
        raise ValueError(f'recorder {name!r} reads {recorders[name]}, and is wanted for {recorder}; use two names')
    return dict(from_student=from_student, recorder=name)


def merged(parts: list[Parts]) -> Parts:
    """The parts of a mix in one.

    Args:
        parts: At least one.

    Returns:
        Everything together; the smallest cross-entropy weight that one of them asks for, 1 if none does.

    Raises:
        ValueError: If two use one name for different things, or different views.
    """
    whole = Parts(ce_weight=min((part.ce_weight for part in parts if part.ce_weight is not None), default=1.0))
    for part in parts:
        for group in GROUPS:
            together = getattr(whole, group)
            for name, value in getattr(part, group).items():
                if together.setdefault(name, value) != value:
                    raise ValueError(f'two distillers of the mix use the name {name!r} in {group} for different things')
        if part.data is not None and whole.data not in (None, part.data):
            raise ValueError(f'two distillers of the mix need different views, {whole.data} and {part.data}; use one of them')
        whole.data = whole.data or part.data
        whole.hooks += [hook for hook in part.hooks if hook not in whole.hooks]
    return whole
