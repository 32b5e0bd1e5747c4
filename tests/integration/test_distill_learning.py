"""Every distillation loss falls while a student trains on the digits, and no connector dies; a wrong weight shows here."""

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from icckd_mm.config.command_line import set_loader_defaults
from tests.helpers import RUNS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/icckd'
TEACHER = CONFIGS / 'teacher/icc_resnet20_1xb64_digits.py'


def run(path, folder, epochs=None, seed=0, validate=False, **options):
    """Train with a config of the digits; returns the runner."""
    cfg = Config.fromfile(path)
    set_loader_defaults(cfg, ['train_dataloader', 'val_dataloader'], pin_memory=False, persistent_workers=False)
    cfg.merge_from_dict({'work_dir': str(folder), 'log_level': 'ERROR', 'randomness.seed': seed, **options})
    cfg.experiment_name = f'learning-{next(RUNS)}'
    if epochs is not None:
        cfg.train_cfg.max_epochs = cfg.param_scheduler.T_max = epochs
    if not validate:
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.save_best = None
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    """Trains the ICC teacher on first use, for as many epochs."""

    @functools.cache
    def trained(epochs):
        folder = tmp_path_factory.mktemp('teacher')
        run(TEACHER, folder, epochs)
        return str(folder / f'epoch_{epochs}.pth')

    return trained


def student(method):
    """The config of a method for resnet20 and resnet8."""
    (path,) = (CONFIGS / 'distill').glob(f'icckd-{method}_*_resnet20_resnet8_1xb64_digits.py')
    return path


def by_epoch(runner):
    """Means of each distillation loss by epoch."""
    steps = len(runner.train_dataloader)
    logs = runner.message_hub.log_scalars
    return {
        name.rpartition('.')[2]: np.asarray(logs[name].data[0]).reshape(-1, steps).mean(axis=1)
        for name in logs
        if name.startswith('train/distill.')
    }


@torch.no_grad()
def dead_share(runner):
    """Of each connector, the share of channels that are the same for all images and places of a training batch."""
    shares, handles = {}, []
    model = runner.model.train()

    def watch(name):
        def look(module, inputs, output):
            if not isinstance(output, torch.Tensor):  # FBKD's is a tuple of parts
                return
            rows = output.detach().movedim(1, -1).flatten(0, -2)
            shares[name] = float((rows.std(dim=0) <= 1e-6 * rows.abs().max()).float().mean())

        return look

    for name, connector in model.distiller.connectors.items():
        handles.append(connector.register_forward_hook(watch(name)))
    batch = next(iter(runner.train_dataloader))
    model(**model.data_preprocessor(batch, True), mode='loss')
    for handle in handles:
        handle.remove()
    return shares


# After four epochs, the largest share of the first epoch's mean that a loss may have; measured values are well below
FALLS = {
    'kd': dict(loss_kl=0.35),
    'fitnet': dict(loss_hint=0.65),
    'at': dict(loss_at1=0.7, loss_at2=0.65, loss_at3=0.5),
    'rkd': dict(loss_distance=0.4, loss_angle=0.45),
    'dkd': dict(loss_dkd=0.4),
    'dist': dict(loss_dist=0.25),
    'wsld': dict(loss_wsld=0.8),
    'ofd': dict(loss_ofd1=0.45, loss_ofd2=0.65, loss_ofd3=0.75),
    'soft-ce': dict(loss_soft_ce=0.93),
    'ckd': dict(loss_ckd=0.95),
    'ms': dict(loss_ms=0.75),
    'crd': dict(loss_crd=0.9),
    # the alignment of the classifiers starts near 0, from random ones, and finds its level from below
    'pckd': dict(loss_cc=0.995, loss_fa=0.85, loss_kd=0.4, loss_ca=None),
    'kd-cwd': dict(loss_kl=0.35, loss_cwd=0.85),
    'kd-pkd': dict(loss_kl=0.35, loss_pkd=0.9),
    'kd-mgd': dict(loss_kl=0.35, loss_mgd=0.8),
    'kd-fbkd': dict(loss_kl=0.35, loss_fbkd=0.95),
    'kd-fitnet': dict(loss_kl=0.35, loss_hint=0.65),
}


@pytest.mark.slow
@pytest.mark.parametrize('method', FALLS)
def test_every_loss_falls_and_no_connector_dies(method, teacher, tmp_path):
    runner = run(student(method), tmp_path, 4, **{'model.teacher_ckpt': teacher(4)})
    means = by_epoch(runner)
    assert means.keys() == FALLS[method].keys()
    for name, share in FALLS[method].items():
        # CRD's rises first, while its memory of random rows fills with features
        start = means[name].max() if name == 'loss_crd' else means[name][0]
        assert share is None or means[name][-1] < share * start, (name, means[name])
    assert all(share <= 0.5 for share in dead_share(runner).values())


def test_a_hint_is_learnt_with_the_published_weight(teacher, tmp_path):
    """In two epochs; a sum over the map, which it was before, leaves the hint where it is and kills the connector."""
    options = {'model.teacher_ckpt': teacher(1)}
    runner = run(student('fitnet'), tmp_path / 'mean', 2, **options)
    first, last = by_epoch(runner)['loss_hint']
    assert last < 0.8 * first
    assert dead_share(runner)['hint'] <= 0.5


@pytest.mark.slow
def test_a_sum_kills_the_connector(teacher, tmp_path):
    """That the test above can fail."""
    hint = 'model.distiller.distill_losses.loss_hint'
    options = {'model.teacher_ckpt': teacher(4), f'{hint}.div_element': False, f'{hint}.loss_weight': 1.0}
    runner = run(student('kd-fitnet'), tmp_path, 4, **options)
    means = by_epoch(runner)['loss_hint']
    assert means[-1] > 0.65 * means[0] or dead_share(runner)['hint'] > 0.5


@pytest.mark.slow
def test_fitnet_halves_the_hint_and_teaches_about_as_well_as_kd(teacher, tmp_path):
    """Seeds 0 to 2, the whole 15 epochs."""
    accuracies = {}
    for seed in (0, 1, 2):
        for method in ('kd', 'fitnet'):
            options = {'model.teacher_ckpt': teacher(15)}
            runner = run(student(method), tmp_path / f'{method}{seed}', seed=seed, validate=True, **options)
            accuracies[method, seed] = float(runner.message_hub.get_scalar('val/accuracy/top1').current())
            if method == 'fitnet':
                steps = np.asarray(runner.message_hub.get_scalar('train/distill.loss_hint').data[0])
                print(f'seed {seed}: hint {steps[0]:.1f} -> {steps[-23:].mean():.1f}, dead {dead_share(runner)["hint"]:.2f}')
                assert steps[-len(runner.train_dataloader) :].mean() < steps[0] / 2
                assert dead_share(runner)['hint'] <= 0.5
        print(f'seed {seed}: KD {accuracies["kd", seed]:.2f}, FitNet {accuracies["fitnet", seed]:.2f}')
    mean = {method: np.mean([accuracies[method, seed] for seed in (0, 1, 2)]) for method in ('kd', 'fitnet')}
    assert mean['fitnet'] > mean['kd'] - 1
