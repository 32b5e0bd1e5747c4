"""Each config builds, and a sample of every data set, method and network trains."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import MODELS
from mmengine.runner import Runner
from mmpretrain.models import ImageClassifier

from icckd_mm.config.fast import fast_options
from tests.helpers import RUNS, Outputs, state
from tests.integration.test_configs import PATHS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs/icckd'
CLASSES = {'digits': 10, 'multi-view': 10, 'cifar10': 10, 'cifar100': 100, 'tiny-imagenet': 200, 'in1k': 1000}
SAMPLE = [
    'baseline/ce_resnet20_1xb64_digits',
    'teacher/icc_resnet20_1xb64_digits',
    'distill/kd_logits_resnet20_resnet8_1xb64_digits',
    'distill/icckd-kd_logits_resnet20_resnet8_1xb64_digits',
    'distill/icckd-kd-rkd_logits-neck_resnet20_resnet8_1xb64_digits',
    'baseline/ce_resnet8_1xb32_multi-view',
    'teacher/icc_resnet20_1xb32_multi-view',
    'distill/kd_logits_resnet20_resnet8_1xb32_multi-view',
    'distill/icckd-kd_logits_resnet20_resnet8_1xb32_multi-view',
    'distill/icckd-kd-rkd_logits-neck_resnet20_resnet8_1xb32_multi-view',
    'baseline/ce_shufflenetv2_1xb64_cifar100',
    'baseline/ce-2view_vgg13_1xb64_cifar100',
    'teacher/icc_resnet110_1xb64_cifar100',
    'teacher/icc-ft_resnet50_1xb64_cifar100',
    'distill/kd_logits_resnet32x4_resnet8x4_1xb64_cifar100',
    'distill/icckd-kd_logits_vgg13_mobilenetv2_1xb64_cifar100',
    'distill/icckd-kd-rkd_logits-neck_wrn40-2_shufflenetv1_1xb64_cifar100',
    'baseline/ce_wrn40-1_1xb64_cifar10',
    'baseline/ce-2view_resnet56_1xb64_cifar10',
    'teacher/icc_wrn40-2_1xb64_cifar10',
    'teacher/icc-ft_vgg13_1xb64_cifar10',
    'distill/kd_logits_vgg13_vgg8_1xb64_cifar10',
    'distill/icckd-kd_logits_wrn40-2_wrn16-2_1xb64_cifar10',
    'distill/icckd-kd-rkd_logits-neck_resnet110_resnet32_1xb64_cifar10',
    'baseline/ce_vgg8_1xb64_tiny-imagenet',
    'baseline/ce-2view_vgg13_1xb64_tiny-imagenet',
    'teacher/icc_vgg13_1xb64_tiny-imagenet',
    'teacher/icc-ft_resnet56_1xb64_tiny-imagenet',
    'distill/kd_logits_resnet56_resnet20_1xb64_tiny-imagenet',
    'distill/icckd-kd_logits_vgg13_vgg8_1xb64_tiny-imagenet',
    'distill/icckd-kd-rkd_logits-neck_wrn40-2_wrn40-1_1xb64_tiny-imagenet',
    'baseline/ce_mobilenetv2_8xb32_in1k',
    'baseline/ce-2view_resnet34_8xb32_in1k',
    'teacher/icc_resnet34_8xb32_in1k',
    'teacher/icc-ft_resnet34_8xb32_in1k',
    'distill/kd_logits_resnet34_resnet18_8xb32_in1k',
    'distill/icckd-kd_logits_resnet50_mobilenetv2_8xb32_in1k',
    'distill/icckd-kd-rkd_logits-neck_resnet34_resnet18_8xb32_in1k',
]


@pytest.mark.parametrize('path', PATHS, ids=lambda path: path.stem)
def test_config_builds(path):
    """Reliability test 18."""
    model = Config.fromfile(path).model
    if 'teacher_ckpt' in model:
        model.teacher_ckpt = None
        model.allow_random_teacher = True
    built = MODELS.build(model)
    networks = [module for module in built.modules() if isinstance(module, ImageClassifier)]
    assert len(networks) == (2 if path.parent.name == 'distill' else 1)
    for net in networks:
        assert (net.head.fc.in_features, net.head.fc.out_features) == (net.head.in_channels, CLASSES[path.stem.split('_')[-1]])


def test_the_sample_has_every_data_set_method_and_network():
    names = [path.rsplit('/')[-1].split('_') for path in SAMPLE]
    paths = [path.stem.split('_') for path in PATHS]
    assert {(name[0], name[-1]) for name in names} == {(name[0], name[-1]) for name in paths}
    nets = {path.stem for path in (ROOT / 'configs/_base_/models').rglob('*.py')}
    assert nets <= {part for name in names for part in name}


class Start(Hook):
    """Stores the initial weights of a training."""

    def before_train(self, runner):
        self.weights = state(runner.model)


def small(path, folder):
    """The config of a trial run, of two steps on images of two classes, so that every image has a partner of its class."""
    cfg = Config.fromfile(CONFIGS / f'{path}.py')
    cfg.work_dir, cfg.launcher, cfg.log_level = str(folder), 'none', 'ERROR'
    cfg.merge_from_dict(fast_options(cfg))
    cfg.train_cfg.max_epochs = 1
    for loader, images in ((cfg.train_dataloader, 8), (cfg.val_dataloader, 4)):
        loader.collate_fn = dict(type='default_collate')
        if loader.dataset.type == 'icckd_mm.RandomImages':
            loader.dataset.update(num_images=images, num_classes=2)
        else:
            del loader.dataset['indices']
            loader.dataset = dict(type='icckd_mm.ClassMap', dataset=loader.dataset, classes=[0, 1], indices=images)
    for hook in cfg.get('custom_hooks', []):
        hook.loss.margin = -1.0
    cfg.default_hooks.checkpoint = None
    cfg.experiment_name = f'config-{next(RUNS)}'
    return cfg


@pytest.mark.parametrize('path', SAMPLE)
def test_trains_two_steps_and_validates(path, tmp_path, monkeypatch):
    """Reliability test 18, on noise of each data set's size."""
    monkeypatch.chdir(tmp_path)  # no data and no checkpoints here
    runner = Runner.from_cfg(small(path, tmp_path))
    outputs, start = Outputs(), Start()
    runner.register_hook(outputs)
    runner.register_hook(start)
    distils, contrasts = path.startswith('distill/'), 'icc_' in path or 'icc-ft_' in path
    model = runner.model
    runner.train()
    assert len(outputs.steps) == 2
    assert all(torch.isfinite(torch.tensor(value)) for step in outputs.steps for value in step.values())
    learnt = dict(model.named_parameters())
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, start.weights[name])}
    students = {name for name in learnt if not name.startswith('teacher.')}
    assert len(changed & students) > 0.9 * len(students)
    scalars = runner.message_hub.log_scalars
    assert 'val/accuracy/top1' in scalars
    if distils:
        assert not [name for name in changed if name.startswith('teacher.')]
        assert 'val/teacher.accuracy/top1' in scalars
        losses = {'distill.loss_kl', *(['distill.loss_distance', 'distill.loss_angle'] if 'rkd' in path else [])}
        assert losses == {name for name in outputs.steps[0] if name.startswith('distill.')}
        assert all(outputs.steps[0][name] > 0 for name in losses)
        features = [model.distiller.student_recorders, model.distiller.teacher_recorders]
        if 'rkd' in path:
            for recorders, net in zip(features, (model.student, model.teacher)):
                assert recorders.get_recorder('features').get_record_data(0, 0).shape == (4, net.head.in_channels)
    if contrasts:
        assert any(step['loss_icc'] > 0 for step in outputs.steps)
    elif 'ce-2view' in path:
        assert [step['loss_icc'] for step in outputs.steps] == [0, 0]


def test_a_ce_teacher_is_where_finetuning_and_distillation_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saving = Config.fromfile(CONFIGS / 'baseline/ce_resnet56_1xb64_cifar10.py').default_hooks.checkpoint
    teacher = small('baseline/ce_resnet56_1xb64_cifar10', tmp_path / 'ce')
    teacher.default_hooks.checkpoint = saving
    Runner.from_cfg(teacher).train()
    file = tmp_path / 'ce/fast/epoch_1.pth'
    weights = torch.load(file, weights_only=True)['state_dict']
    finetuned = small('teacher/icc-ft_resnet56_1xb64_cifar10', tmp_path / 'ft')
    distilled = small('distill/kd_logits_resnet56_resnet20_1xb64_cifar10', tmp_path / 'kd')
    finetuned.load_from = distilled.model.teacher_ckpt = str(file)
    runner, start = Runner.from_cfg(finetuned), Start()
    runner.register_hook(start)
    runner.train()
    assert all(torch.equal(start.weights[name], value) for name, value in weights.items())
    runner = Runner.from_cfg(distilled)
    runner.train()
    learnt = runner.model.teacher.state_dict()
    assert all(torch.equal(learnt[name], value) for name, value in weights.items())


def test_keeps_the_last_epoch_and_the_best_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = small('baseline/ce_resnet20_1xb64_cifar10', tmp_path)
    cfg.train_cfg.max_epochs = 3
    cfg.default_hooks.checkpoint = Config.fromfile(CONFIGS / 'baseline/ce_resnet20_1xb64_cifar10.py').default_hooks.checkpoint
    Runner.from_cfg(cfg).train()
    files = sorted(path.name for path in (tmp_path / 'fast').glob('*.pth'))
    assert len(files) == 2
    assert files[1] == 'epoch_3.pth'
    assert files[0].startswith('best_accuracy_top1_epoch_')


def test_a_coarse_label_config_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(CONFIGS / 'teacher/icc_resnet20_1xb64_digits.py')
    parity = [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset = dict(type='icckd_mm.ClassMap', dataset=loader.dataset, groups=parity)
        loader.collate_fn = dict(type='default_collate')
    cfg.model.head.num_classes = 2
    cfg.work_dir, cfg.launcher, cfg.experiment_name = str(tmp_path), 'none', f'config-{next(RUNS)}'
    cfg.merge_from_dict(fast_options(cfg))
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.train_dataloader.dataset.metainfo['classes'] == ('0+2+4+6+8', '1+3+5+7+9')
    assert len(runner.train_dataloader.dataset) == 16
    assert runner.model.icc_loss.queue.num_classes == 2
