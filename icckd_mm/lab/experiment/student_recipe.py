"""The training of a cell's student, distilled or alone."""

from __future__ import annotations

from typing import Any

from icckd_mm.lab.experiment.plan import Cell, Plan
from icckd_mm.lab.experiment.recipe import (
    CONFIGS,
    Recipe,
    common_options,
    find_config,
    network_options,
    networks,
    plan_options,
    shared_factors,
)


def student_recipe(plan: Plan, cell: Cell, teacher: Recipe) -> Recipe:
    """The distillation from a teacher.

    Raises:
        ValueError: If there is no config for the student's method.
    """
    method, pair = cell['student'], cell['pair']
    names = [f'{prefix}{method}_*_{pair}_*_{cell["data"]}.py' for prefix in ('icckd-', '')]
    config = find_config('distill', names[0]) or find_config('distill', names[1])
    if config is None:
        raise ValueError(
            f'there is no config {CONFIGS}/distill/{names[1]} for the student {method!r}; write it, or change the plan'
        )
    options = common_options(cell, config)
    if teacher.method == 'mcmi':
        options['model.ignore_keys'] = ['head.loss_module.']  # its class means
    if 'crd' in method.split('-'):
        options.update(_crd_options(plan, cell))
    options.update(network_options(plan, teacher='model.teacher', student='model.architecture'))
    options.update(plan_options(plan, 'student', method))
    factors = {**teacher.factors, 'pair': pair, 'student': method}
    del factors['network']
    return Recipe('student', method, factors, config, options, teacher, 'model.teacher_ckpt')


def _crd_options(plan: Plan, cell: Cell) -> dict[str, Any]:
    """The sizes that CRD must know: images of its memory, and widths of the features it compares."""
    options: dict[str, Any] = {}
    if cell['images'] is not None:
        options['model.distiller.distill_losses.loss_crd.sample_n'] = cell['images']
    for role in ('student', 'teacher'):
        width = plan.networks.get(role, {}).get('head.in_channels')
        if width is not None:
            options[f'model.distiller.connectors.crd_{role}.dim_in'] = width
    return options


def alone_recipe(plan: Plan, cell: Cell) -> Recipe:
    """The student without a teacher.

    Raises:
        ValueError: If there is no config for its network.
    """
    network = networks(cell)[1]
    config = find_config('baseline', f'ce_{network}_*_{cell["data"]}.py')
    if config is None:
        raise ValueError(f'there is no config {CONFIGS}/baseline/ce_{network}_*_{cell["data"]}.py for the student alone')
    options = {
        **common_options(cell, config),
        **network_options(plan, student='model'),
        **plan_options(plan, 'student', 'alone'),
    }
    return Recipe('student', 'alone', {**shared_factors(cell, network), 'student': 'alone'}, config, options)
