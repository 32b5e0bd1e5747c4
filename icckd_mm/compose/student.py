"""The config of a student, from the parts of its distillers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from icckd_mm.compose.literals import Reference
from icckd_mm.compose.parts import Parts


def student_entries(
    parts: Parts,
    *,
    student: str,
    teacher: str,
    teacher_ckpt: str,
    first_stages: Mapping[str, str],
    loss: str = 'head.loss',
) -> dict[str, Any]:
    """What the config of a student assigns, below its bases.

    Args:
        parts: Of one distiller or of a mix.
        student: The student's config, as a variable of a base.
        teacher: The teacher's.
        teacher_ckpt: File of the teacher's weights.
        first_stages: Checkpoint of each distiller that another one starts from.
        loss: Where the student's config holds its loss.

    Returns:
        Names and values, for :func:`.config_text`.
    """
    entries: dict[str, Any] = {}
    if parts.ce_weight not in (None, 1.0):
        entries[f'{student}.{loss}.loss_weight'] = parts.ce_weight
    for name, value in _leaves(parts.architecture):
        entries[f'{student}.{name}'] = value
    starts = {
        part: dict(type='Pretrained', checkpoint=first_stages[method], prefix=part)
        for part, method in parts.starts_from.items()
    }
    if 'architecture' in starts:
        entries[f'{student}.init_cfg'] = starts['architecture']
    if parts.losses:
        distiller = parts.distiller()
        if 'distiller' in starts:
            distiller['init_cfg'] = starts['distiller']
        entries['model'] = {
            '_scope_': 'mmrazor',
            'type': 'icckd_mm.SafeTeacherDistill',
            'architecture': Reference(student),
            'teacher': Reference(teacher),
            'teacher_ckpt': teacher_ckpt,
            'distiller': distiller,
            **parts.algorithm,
        }
        if entries['model']['type'] == 'SelfDistill':
            del entries['model']['teacher'], entries['model']['teacher_ckpt']
        entries['val_cfg'] = dict(type='icckd_mm.DistillValLoop')
    else:  # nothing of the teacher is left
        entries['model'] = Reference(student)
    if parts.hooks:
        entries['custom_hooks'] = parts.hooks
    return {**entries, **parts.config}


def _leaves(changes: Mapping[str, Any], above: str = '') -> Iterator[tuple[str, Any]]:
    """Dotted names of what is not a dict, or a dict that replaces another one."""
    for name, value in changes.items():
        if isinstance(value, Mapping) and '_delete_' in value:
            yield f'{above}{name}', {key: item for key, item in value.items() if key != '_delete_'}
        elif isinstance(value, Mapping):
            yield from _leaves(value, f'{above}{name}.')
        else:
            yield f'{above}{name}', value
