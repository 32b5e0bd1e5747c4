"""The papers of a zoo entry: ``metafile.yml`` and a model card."""

from __future__ import annotations

from typing import Any

import torch
import yaml
from mmengine.analysis import get_model_complexity_info

from icckd_mm.version import __version__

from .network import Network

PAPER = {
    'Title': 'Enriching Knowledge Distillation with Intra-Class Contrastive Learning',
    'URL': 'https://arxiv.org/abs/2509.22053',
}


def complexity(model: torch.nn.Module, image: torch.Tensor) -> dict[str, int]:
    """Parameters and FLOPs (multiply-adds, as OpenMMLab counts them) for one image ``(1, 3, H, W)``."""
    flops = get_model_complexity_info(model, inputs=(image,), show_table=False, show_arch=False)['flops']
    return {'FLOPs': int(flops), 'Parameters': sum(parameter.numel() for parameter in model.parameters())}


def metafile(name: str, weights: str, network: Network, sizes: dict[str, int], metrics: dict[str, float]) -> dict[str, Any]:
    """The content of ``metafile.yml``.

    Args:
        name (str): Name of the model.
        weights (str): File name of its weights.
        network (Network): From :func:`icckd_mm.zoo.network.take_network`.
        sizes (dict[str, int]): From :func:`complexity`.
        metrics (dict[str, float]): Results on the test split, such as ``{'accuracy/top1': 98.6}``.

    Returns:
        dict: Collections and Models in OpenMMLab's form.
    """
    run = network.config
    dataset = run.get('test_dataloader', {}).get('dataset', {}).get('type', 'unknown')
    entry: dict[str, Any] = {
        'Name': name,
        'In Collection': 'ICCKD',
        'Metadata': {
            **sizes,
            'Epochs': network.meta.get('epoch'),
            'Seed': network.meta.get('seed'),
            'Code': f'icckd_mm {__version__}',
            'Training Data': dataset,
        },
        'Results': [
            {
                'Task': 'Image Classification',
                'Dataset': dataset,
                'Metrics': {key: round(value, 2) for key, value in metrics.items()},
            }
        ],
        'Config': f'{name}.py',
        'Weights': weights,
    }
    if network.distilled:
        teacher = run.model.teacher
        entry['Metadata']['Teacher'] = {
            'Backbone': teacher.backbone.to_dict(),
            'Checkpoint': str(run.model.get('teacher_ckpt')),
        }
    return {'Collections': [{'Name': 'ICCKD', 'Paper': PAPER, 'README': 'README.md'}], 'Models': [entry]}


def write_yaml(content: dict[str, Any]) -> str:
    """YAML with the keys in the order given."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def model_card(name: str, weights: str, network: Network, sizes: dict[str, int], metrics: dict[str, float]) -> str:
    """A README that tells what the model is and how to use it in three lines."""
    kind = 'student, distilled with mmrazor' if network.distilled else 'classifier'
    results = '\n'.join(f'| {key} | {value:.2f} |' for key, value in metrics.items()) or '| (not measured) | |'
    ours = 'import icckd_mm  # its network\n' if 'icckd_mm.' in str(network.model) else ''
    return f"""# {name}

A {kind}; {sizes['Parameters']:,} parameters, {sizes['FLOPs'] / 1e6:.1f} M multiply-adds an image;
epoch {network.meta.get('epoch')}, seed {network.meta.get('seed')}, icckd_mm {__version__}.

| metric on the test split | value |
|---|---|
{results}

```python
{ours}from mmpretrain import ImageClassificationInferencer
predict = ImageClassificationInferencer('{name}.py', pretrained='{weights}')
print(predict('image.png')[0]['pred_class'])
```

Method: {PAPER['Title']}, {PAPER['URL']}
"""
