"""The configs of CKD, PCKD, MSDCRD-style contrast and MCMI: built and trained by the real runner and mmrazor's distiller."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

import icckd_mm  # noqa: F401
from icckd_mm.functional import category_center_contrastive_loss, preview_weights, sample_wise_contrastive_loss
from tests.helpers import RUNS, Outputs, equal, state

CONFIGS = Path(__file__).resolve().parents[3] / 'configs/icckd'
DISTILL = ('icckd-ckd_logits', 'icckd-pckd_logits-neck', 'icckd-ms_backbone', 'ckd_logits', 'pckd_logits-neck', 'ms_backbone')
SIZES = dict(depth=8, widths=(4, 4, 8, 8))


class Start(Hook):
    """Keeps the weights that training starts from."""

    def before_train(self, runner):
        self.state = state(runner.model)


def small(path, work_dir, images=96):
    """The config with narrow networks, few images, and no checkpoint of an earlier stage."""
    cfg = Config.fromfile(CONFIGS / path)
    cfg.work_dir, cfg.experiment_name, cfg.log_level = str(work_dir), f'relatives-{next(RUNS)}', 'ERROR'
    cfg.train_dataloader.dataset.indices = images
    cfg.train_dataloader.batch_size = 32
    cfg.train_cfg.max_epochs = 2
    for part in ('val', 'test'):
        cfg[f'{part}_dataloader'] = cfg[f'{part}_cfg'] = cfg[f'{part}_evaluator'] = None
    cfg.default_hooks.checkpoint.save_best = None
    cfg.load_from = None
    nets = [cfg.model]
    if 'teacher' in cfg.model:
        cfg.model.teacher_ckpt = None
        cfg.model.allow_random_teacher = True
        nets = [cfg.model.architecture, cfg.model.teacher]
    for net in nets:
        net.backbone.update(SIZES)
        net.head.in_channels = 8
    if 'pckd' in path:
        cfg.model.distiller.connectors.mlp.update(in_dims=8, out_dims=8)
        cfg.model.distiller.distill_losses.loss_cc.update(student_dims=8, teacher_dims=8)
    return cfg


def rotated(work_dir):
    """The published four views, as the configs of CIFAR-100 have them."""
    cfg = small('distill/icckd-pckd_logits-neck_resnet20_resnet8_1xb64_digits.py', work_dir)
    base = Config.fromfile(CONFIGS / 'distill/pckd-4rot_logits-neck_vgg13_vgg8_1xb64_cifar100.py')
    for name in ('loss_cc', 'loss_kd'):
        cfg.model.distiller.distill_losses[name].num_rotations = base.model.distiller.distill_losses[name].num_rotations
    cfg.data_preprocessor.type = 'icckd_mm.RotationDataPreprocessor'
    cfg.model.architecture.head.loss.type = 'icckd_mm.FirstViewCrossEntropyLoss'
    return cfg


def trained(cfg):
    runner, outputs, start = Runner.from_cfg(cfg), Outputs(), Start()
    runner.register_hook(outputs)
    runner.register_hook(start)
    runner.train()
    return runner, outputs.steps, start.state


def falls(steps):
    """The mean of the second epoch is below that of the first."""
    losses = [step['loss'] for step in steps]
    half = len(losses) // 2
    return sum(losses[half:]) < sum(losses[:half])


@pytest.mark.parametrize('method', DISTILL)
def test_a_digits_config_trains_with_a_falling_loss(method, tmp_path):
    runner, steps, before = trained(small(f'distill/{method}_resnet20_resnet8_1xb64_digits.py', tmp_path))
    assert falls(steps)
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)['state_dict']
    assert equal(saved, runner.model.state_dict())
    for name, value in runner.model.named_parameters():
        learns = not name.startswith('teacher.')
        assert torch.equal(value, before[name]) != learns, name


def test_the_four_rotations_train_too(tmp_path):
    _, steps, _ = trained(rotated(tmp_path))
    assert falls(steps)


def test_adapters_reach_optimizer_and_checkpoint(tmp_path):
    """They are parameters of the distiller, and a second runner loads them."""
    runner, _, _ = trained(small('distill/icckd-pckd_logits-neck_resnet20_resnet8_1xb64_digits.py', tmp_path))
    adapters = {name: p for name, p in runner.model.named_parameters() if name.startswith('distiller.')}
    assert {name.split('.')[2] for name in adapters} == {'mlp', 'loss_cc'}
    optimised = {id(p) for group in runner.optim_wrapper.param_groups for p in group['params']}
    assert all(id(p) in optimised for p in adapters.values())
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)['state_dict']
    assert all(torch.equal(saved[name], p) for name, p in adapters.items())


def test_mcmi_trains_and_its_means_are_in_the_checkpoint(tmp_path):
    _, steps, _ = trained(small('teacher/mcmi_resnet20_1xb64_digits.py', tmp_path))
    assert falls(steps)
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)['state_dict']
    assert (saved['head.loss_module.updates'] >= 1).all()
    torch.testing.assert_close(saved['head.loss_module.means'].sum(1), torch.ones(10))


def built(cfg):
    """The algorithm in training mode, a batch of it, and what the student gives before any recorder saw it."""
    runner = Runner.from_cfg(cfg)
    model = runner.model
    model.train()  # mmrazor's returns None
    data = model.data_preprocessor(next(iter(runner.train_dataloader)), True)
    twin = copy.deepcopy(model.student)
    features = twin.neck(twin.backbone(data['inputs']))[-1]
    return model, data, features, twin.head.fc(features)


def test_ckd_is_the_function_of_both_networks_logits(tmp_path):
    model, data, _, logits = built(small('distill/icckd-ckd_logits_resnet20_resnet8_1xb64_digits.py', tmp_path))
    losses = model(**data, mode='loss')
    teacher = model.teacher(data['inputs'], mode='tensor')
    teacher = model.teacher.head.fc(teacher[-1]) if isinstance(teacher, tuple) else teacher
    torch.testing.assert_close(losses['distill.loss_ckd'], 10 * sample_wise_contrastive_loss(logits, teacher))


def test_pckd_with_rotations_is_the_formula_on_four_rows_an_image(tmp_path):
    """Cross-entropy and soft labels of rows 0, 4, 8, …; contrast of all rows, each by the weight of its image."""
    model, data, features, logits = built(rotated(tmp_path))
    assert len(data['inputs']) == 4 * 32
    losses = model(**data, mode='loss')
    assert sorted(losses) == ['distill.loss_ca', 'distill.loss_cc', 'distill.loss_fa', 'distill.loss_kd', 'student.loss']
    labels = torch.cat([sample.gt_label for sample in data['data_samples']])
    ce = torch.nn.functional.cross_entropy(logits[::4], labels[::4], reduction='none')
    torch.testing.assert_close(losses['student.loss'], ce.mean())
    module = model.distiller.distill_losses['loss_cc']
    scores = [
        torch.nn.functional.normalize(embed(features)) @ net.head.fc.weight.T
        for embed, net in ((module.embed_student, model.student), (module.embed_teacher, model.teacher))
    ]
    terms = category_center_contrastive_loss(*scores, labels, reduction='none')
    expected = 0.05 * (preview_weights(ce, epoch=1).repeat_interleave(4) * terms).mean()
    torch.testing.assert_close(losses['distill.loss_cc'], expected)
    losses['distill.loss_cc'].backward()
    assert model.student.backbone.conv1.weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in model.teacher.parameters())


def test_a_projector_bridges_maps_of_different_width(tmp_path):
    """mmrazor's own connector, as the composer adds it; without it the message names it."""
    cfg = small('distill/icckd-ms_backbone_resnet20_resnet8_1xb64_digits.py', tmp_path)
    cfg.model.teacher.backbone.widths, cfg.model.teacher.head.in_channels = (4, 4, 8, 12), 12
    model, data, _, _ = built(cfg)
    with pytest.raises(ValueError, match='bridge different widths with a connector'):
        model(**data, mode='loss')
    cfg.experiment_name = f'relatives-{next(RUNS)}'
    project = dict(type='ConvModuleConnector', in_channel=8, out_channel=12, norm_cfg=dict(type='BN'), act_cfg=None)
    cfg.model.distiller.connectors = dict(project=project)
    cfg.model.distiller.loss_forward_mappings.loss_ms.s_feature.connector = 'project'
    model, data, _, _ = built(cfg)
    model(**data, mode='loss')['distill.loss_ms'].backward()
    connector = model.distiller.connectors['project']
    assert all(parameter.grad.abs().sum() > 0 for parameter in connector.parameters())
