"""Distillation without data in one process: the generator and the student learn, each from its own losses."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner
from mmpretrain.structures import DataSample

from tests.helpers import CONV, RUNS, equal, state
from tests.test_distill.cases import weights

CONFIGS = Path(__file__).parents[2] / 'configs/icckd/distill'
METHODS = ('dafl', 'dfad')


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'a.pth')


def small(method, teacher, work_dir='.'):
    """The config with narrow networks and few images."""
    cfg = Config.fromfile(CONFIGS / f'icckd-{method}_logits_resnet20_resnet8_1xb64_digits.py')
    cfg.work_dir, cfg.experiment_name, cfg.log_level = str(work_dir), f'data-free-{next(RUNS)}', 'ERROR'
    cfg.model.architecture.update(copy.deepcopy(CONV))
    cfg.model.teachers.teacher.build_cfg.update(copy.deepcopy(CONV))
    cfg.model.teachers.teacher.ckpt_path = teacher
    cfg.model.generator.update(latent_dim=8, hidden_channels=4)
    cfg.train_dataloader.dataset.indices = 64
    cfg.val_dataloader.dataset.indices = 40
    cfg.train_dataloader.batch_size = 16
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.collate_fn = dict(type='default_collate')
    cfg.train_cfg.max_epochs = 2
    return cfg


@pytest.mark.parametrize('method', METHODS)
def test_student_and_generator_learn_in_one_process(method, teacher, tmp_path):
    runner = Runner.from_cfg(small(method, teacher, tmp_path))
    model = runner.model
    before = {name: state(module) for name, module in model.named_children() if name in ('architecture', 'generator')}
    runner.train()
    for name, start in before.items():
        learnt = dict(getattr(model, name).named_parameters())
        assert all(torch.isfinite(value).all() for value in learnt.values())
        assert sum(not torch.equal(value, start[key]) for key, value in learnt.items()) > 0.8 * len(learnt), name
    assert equal(model.teachers['teacher'].state_dict(), torch.load(teacher)['state_dict'])
    assert not model.teachers.training
    scalars = runner.message_hub.log_scalars
    assert scalars['val/accuracy/top1'].data[0].shape == (2,)
    assert all(f'train/{side}.loss' in scalars for side in ('distill', 'generator'))
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)['state_dict']
    assert {key.split('.')[0] for key in saved} == {'architecture', 'generator'}


def built(method, teacher, **changes):
    DefaultScope.overwrite_default_scope('mmpretrain')
    cfg = small(method, teacher)
    return MODELS.build({**cfg.model, 'data_preprocessor': cfg.data_preprocessor, **changes})


def images():
    return dict(inputs=torch.zeros(4, 3, 16, 16), data_samples=[DataSample().set_gt_label(0) for _ in range(4)])


class Optimizer:
    """Only the gradient counts here."""

    def optim_context(self, model):
        return torch.enable_grad()

    def update_params(self, loss):
        loss.backward()


def test_mmrazors_generator_leaves_a_gradient_in_the_student_and_ours_does_not(teacher):
    from mmrazor.models.algorithms import DataFreeDistillation  # once icckd_mm has patched it

    model = built('dfad', teacher).train()
    batch = images()
    DataFreeDistillation.train_generator(model, batch, Optimizer())
    assert model.student.head.fc.weight.grad.abs().sum() > 0
    model.zero_grad()
    model.train_generator(batch, Optimizer())
    assert model.student.head.fc.weight.grad is None
    assert model.generator.linear.weight.grad.abs().sum() > 0


def test_mmrazors_own_class_needs_a_wrapper(teacher):
    cfg = small('dfad', teacher)
    model = MODELS.build({**cfg.model, 'type': 'mmrazor.DataFreeDistillation', 'data_preprocessor': cfg.data_preprocessor})
    with pytest.raises(AttributeError, match="no attribute 'module'"):
        model.train_generator(images(), Optimizer())


def test_a_wrong_teacher_source_or_mapping_is_named(teacher, tmp_path):
    wrong = weights(tmp_path / 'a.pth', change=lambda state: state.update({'x.y': state.pop('backbone.conv1.weight')}))
    with pytest.raises(ValueError, match=r'missing: backbone.conv1.weight; surplus: x.y'):
        built('dafl', wrong)
    with pytest.raises(ValueError, match=r'teachers.teacher has no weights: set ckpt_path, or allow_random_teacher=True'):
        built('dafl', None)
    assert any(key.startswith('teachers.') for key in built('dafl', None, allow_random_teacher=True).state_dict())
    cfg = small('dafl', teacher)
    cfg.model.generator_distiller.teacher_recorders.logits.source = 'teacher.head.fcc'
    with pytest.raises(ValueError, match=r"generator_distiller.teacher_recorders.logits: source 'teacher.head.fcc' is not in"):
        built('dafl', teacher, generator_distiller=cfg.model.generator_distiller)
    cfg = small('dfad', teacher)
    cfg.model.distiller.loss_forward_mappings.loss_l1.pop('t_feature')
    with pytest.raises(ValueError, match=r'loss_forward_mappings.loss_l1 lacks t_feature'):
        built('dfad', teacher, distiller=cfg.model.distiller)
