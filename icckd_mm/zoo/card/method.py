"""How a published network was trained, read from the config of its run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from icckd_mm.plain_text import in_markdown
from icckd_mm.zoo.network import Network

PAPER = {
    'Title': 'Enriching Knowledge Distillation with Intra-Class Contrastive Learning',
    'URL': 'https://arxiv.org/abs/2509.22053',
}
HOOK = 'IntraClassContrastHook'
VALUES = ('loss_weight', 'temperature', 'margin', 'queue_size')


def teachers(network: Network) -> list[dict[str, Any]]:
    """Backbone and checkpoint of each teacher of a distilled network."""
    algorithm = network.config.model.to_dict()
    teacher = algorithm.get('teacher')
    teacher = teacher if isinstance(teacher, dict) else {}
    several = teacher.get('teachers')
    pairs = zip(several, teacher.get('teacher_ckpts', [])) if several else [(teacher, algorithm.get('teacher_ckpt'))]
    return [
        {
            'Backbone': one.get('backbone', {'type': str(one.get('type') or one.get('cfg_path') or 'the student itself')}),
            'Checkpoint': '/'.join(Path(str(file or '')).parts[-2:]),  # not the folders of this machine
        }
        for one, file in pairs
    ]


def method(network: Network) -> str:
    """A sentence on teachers and losses for the model card; empty for ordinary training."""
    if network.distilled:
        distiller = network.config.model.get('distiller')
        losses = distiller.get('distill_losses') if isinstance(distiller, dict) else None
        by = _types(list(losses.values()) if isinstance(losses, dict) else [])
        whose = ', '.join(in_markdown(one['Checkpoint']) for one in teachers(network) if one['Checkpoint'])
        return f'Distilled from {whose or "a teacher"}' + (f' by {", ".join(map(in_markdown, by))}.' if by else '.')
    hooks = network.config.get('custom_hooks')
    loss = _types(hooks if isinstance(hooks, list) else []).get(HOOK, {}).get('loss')
    if not isinstance(loss, dict):
        return ''
    values = ', '.join(in_markdown(f'{name}={loss[name]}') for name in VALUES if name in loss)
    return f'Trained with the intra-class contrastive loss ({values or "its defaults"}): {PAPER["Title"]}, {PAPER["URL"]}.'


def _types(configs: list[Any]) -> dict[str, dict[str, Any]]:
    """The configs that name a type, by its last part."""
    return {str(one.get('type')).rpartition('.')[2]: one for one in configs if isinstance(one, dict) and one.get('type')}
