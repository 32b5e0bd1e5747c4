"""Every distiller's config on the digits: trains from a real ICC teacher, and its loss reaches the student."""

import functools
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from icckd_mm.engine.command_line import set_loader_defaults

ROOT = Path(__file__).resolve().parent.parent / 'configs/icckd'
CONFIGS = sorted(path.name for path in (ROOT / 'distill').glob('*_digits.py'))


class Gradients(Hook):
    """Whether each distillation loss alone has a gradient somewhere in the student, in the first step."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 0:
            data = runner.model.data_preprocessor(data_batch, True)
            losses = runner.model(**data, mode='loss')
            self.losses = {name: value for name, value in losses.items() if name.startswith('distill.') and 'loss' in name}
            weights = list(runner.model.student.parameters())
            self.reached = {
                name: any(
                    gradient is not None and bool(gradient.abs().sum() > 0)
                    for gradient in torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
                )
                for name, loss in self.losses.items()
            }


@pytest.fixture(scope='module')
def teachers(tmp_path_factory):
    """Trains a teacher when it is first asked for; two epochs are enough to tell the classes from chance."""

    @functools.cache
    def trained(net):
        folder = tmp_path_factory.mktemp(net)
        runner(ROOT / f'teacher/icc_{net}_1xb64_digits.py', folder, epochs=2).train()
        return str(folder / 'epoch_2.pth')

    return trained


def runner(path, folder, epochs=1, **model):
    cfg = Config.fromfile(path)
    set_loader_defaults(cfg, ['train_dataloader'], pin_memory=False, persistent_workers=False)
    cfg.merge_from_dict(
        {
            'work_dir': str(folder),
            'train_cfg.max_epochs': epochs,
            'train_dataloader.dataset.indices': 192,
            'train_dataloader.batch_size': 32,
            'log_level': 'ERROR',
            'experiment_name': f'distiller-{path.stem}-{folder.name}',
            **{f'model.{name}': value for name, value in model.items()},
        }
    )
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.save_best = None
    return Runner.from_cfg(cfg)


@pytest.mark.parametrize('name', CONFIGS)
def test_trains_and_every_loss_reaches_the_student(name, teachers, tmp_path):
    teacher = teachers(name.split('_')[2])
    cfg = Config.fromfile(ROOT / 'distill' / name).model
    several = 'teacher_ckpt' not in cfg or cfg.teacher_ckpt is None
    options = {'teacher.teacher_ckpts': [teacher, teacher]} if several else {'teacher_ckpt': teacher}
    run, watch = runner(ROOT / 'distill' / name, tmp_path, **options), Gradients()
    run.register_hook(watch)
    run.train()
    assert watch.reached
    assert all(watch.reached.values()), watch.reached
    assert all(torch.isfinite(loss).all() for loss in watch.losses.values())
    assert all(torch.isfinite(value).all() for value in run.model.state_dict().values())
