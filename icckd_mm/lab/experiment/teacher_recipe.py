"""The training of a cell's teacher, by its method."""

from __future__ import annotations

from icckd_mm.lab.experiment.plan import Cell, Plan
from icckd_mm.lab.experiment.recipe import (
    CONFIGS,
    Recipe,
    common_options,
    epochs_options,
    find_config,
    network_options,
    networks,
    plan_options,
    shared_factors,
)

LOSS = 'custom_hooks.0.loss'
CONTRAST = ('loss_weight', 'margin', 'temperature', 'queue_size', 'in_batch_negatives')
# the factors that a teacher depends on, beside data, images, epochs and its network
USES = {
    'ce': (),
    'ce-2view': ('second_view',),
    'icc': (*CONTRAST, 'second_view', 'features'),
    'icc-ft': (*CONTRAST, 'second_view', 'features', 'finetune_epochs', 'finetune_lr'),
    'mcmi': ('kl_weight', 'finetune_epochs', 'finetune_lr'),
    'ls': ('smoothing',),
    'ce-stop': ('stop_epoch',),
}
FINETUNED = ('icc-ft', 'mcmi')  # they start from the CE teacher


def teacher_recipe(plan: Plan, cell: Cell, method: str) -> Recipe:
    """The teacher of a method, after the one it is fine-tuned from.

    Raises:
        ValueError: If there is no config for the method, or its values cannot be used.
    """
    if method not in USES:
        raise ValueError(f'teacher must be one of {", ".join(USES)}, got {method!r}')
    network = networks(cell)[0]
    factors = {**shared_factors(cell, network), 'teacher': method, **{name: cell[name] for name in USES[method]}}
    folder, name = {'mcmi': ('teacher', 'mcmi'), 'icc': ('teacher', 'icc'), 'icc-ft': ('teacher', 'icc-ft')}.get(
        method, ('baseline', 'ce-2view' if method == 'ce-2view' else 'ce')
    )
    config = find_config(folder, f'{name}_{network}_*_{cell["data"]}.py')
    if config is None and method in ('ce-2view', 'icc-ft'):  # the same with other options
        config = find_config('teacher', f'icc_{network}_*_{cell["data"]}.py')
    if config is None:
        raise ValueError(
            f'there is no config {CONFIGS}/{folder}/{name}_{network}_*_{cell["data"]}.py; write it, or change the plan'
        )
    options = common_options(cell, config)
    if method == 'ce-2view':
        options.update({f'{LOSS}.loss_weight': 0.0, 'custom_hooks.0.second_view': cell['second_view']})
    elif method in ('icc', 'icc-ft'):
        _check_loss(cell)
        options.update({f'{LOSS}.{name}': cell[name] for name in CONTRAST})
        options['custom_hooks.0.second_view'] = cell['second_view']
        if cell['features'] == 'logits':
            options['custom_hooks.0.features'] = 'head.fc'
        elif cell['features'] != 'pooled':
            raise ValueError(f"features must be 'pooled' or 'logits', got {cell['features']!r}")
    elif method == 'ls':
        smooth = dict(type='LabelSmoothLoss', label_smooth_val=cell['smoothing'], mode='original')
        options.update({f'model.head.loss.{name}': value for name, value in smooth.items()})
    elif method == 'ce-stop':  # the schedule of the whole run, left early
        if not isinstance(cell['stop_epoch'], int):
            raise ValueError(
                f'the teacher ce-stop needs stop_epoch, the epoch after which it stops, got {cell["stop_epoch"]!r}'
            )
        options['train_cfg.max_epochs'] = cell['stop_epoch']
    parent = None
    if method in FINETUNED:
        parent = teacher_recipe(plan, cell, 'ce')
        options.update(epochs_options(config, cell['finetune_epochs']))
        options['optim_wrapper.optimizer.lr'] = cell['finetune_lr']
    if method == 'mcmi':
        options['model.head.loss.kl_weight'] = cell['kl_weight']
    options.update(network_options(plan, teacher='model'))
    options.update(plan_options(plan, 'teacher', method))
    return Recipe('teacher', method, factors, config, options, parent, 'load_from' if parent else '')


def _check_loss(cell: Cell) -> None:
    """Refuse now what the loss would refuse when the run begins."""
    from icckd_mm.models import IntraClassContrastiveLoss  # heavy

    IntraClassContrastiveLoss(num_classes=1, feat_dims=1, **{name: cell[name] for name in CONTRAST})
