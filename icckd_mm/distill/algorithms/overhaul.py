"""Overhaul of feature distillation, from a checked teacher."""

from __future__ import annotations

from typing import Any

from mmrazor.models.distillers import OFDDistiller

from icckd_mm.registry import MODELS

from .safe_teacher_distill import SafeTeacherDistill


@MODELS.register_module()
class OverhaulFeatureDistillation(SafeTeacherDistill):
    """:class:`SafeTeacherDistill` with mmrazor's ``OFDDistiller``, whose margins are read from the teacher's batch norm.

    Margins are read when the model is built and are not saved: a teacher that gets its weights later, as mmrazor allows, has
    the margins of a random network.

    Args:
        *args: As for :class:`SafeTeacherDistill`.
        **kwargs: As for :class:`SafeTeacherDistill`.

    Raises:
        ValueError: If ``distiller`` has another type, or as :class:`SafeTeacherDistill` does.

    Source: Heo et al. 2019, arXiv 1904.01866.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(self.distiller, OFDDistiller):
            raise ValueError(
                f"OverhaulFeatureDistillation needs distiller.type='OFDDistiller', got {type(self.distiller).__name__}"
            )
        self.distiller.init_ofd_connectors(self.teacher)
