"""The methods between features and relations on the digits: what is trained, and a run that is resumed."""

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, DefaultScope
from mmpretrain.structures import DataSample

from tests.helpers import equal, state
from tests.integration.test_distill_configs import ROOT, runner, teachers  # noqa: F401  # a fixture
from tests.test_engine.test_exact.test_resume import PullThePlug

LEARNING = ('cc', 'ofa', 'reviewkd', 'simkd', 'vid', 'wkd-f')  # have parameters of their own
ALL = (*LEARNING, 'dot', 'nst', 'pkt', 'sp')


def config(method):
    (path,) = (ROOT / 'distill').glob(f'icckd-{method}_*_resnet20_resnet8_1xb64_digits.py')
    return path


@pytest.mark.parametrize('method', LEARNING)
def test_parameters_of_losses_and_connectors_are_trained_and_no_others(method):
    cfg = Config.fromfile(config(method))
    cfg.model.update(teacher_ckpt=None, allow_random_teacher=True, data_preprocessor=cfg.data_preprocessor)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
        model.init_weights()
        wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='SGD', lr=0.1, weight_decay=0.01)))
    own = [name for name, _ in model.named_parameters() if name.startswith(('distiller.', 'architecture.neck.'))]
    assert own
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    samples = [DataSample().set_gt_label(label) for label in range(4)]
    model.train().train_step(dict(inputs=[torch.randint(256, (3, 16, 16)) for _ in samples], data_samples=samples), wrapper)
    moved = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert not [name for name in own if name not in moved]
    assert not [name for name in moved if name.startswith('teacher.')]


@pytest.mark.slow
@pytest.mark.parametrize('method', ALL)
def test_a_resumed_run_is_bit_identical_and_the_teacher_does_not_change(method, teachers, tmp_path):  # noqa: F811
    ckpt = teachers('resnet20')
    whole = runner(config(method), tmp_path / 'whole', epochs=2, teacher_ckpt=ckpt)
    whole.train()
    cut = runner(config(method), tmp_path / 'parts', epochs=2, teacher_ckpt=ckpt)
    cut.register_hook(PullThePlug(9))
    with pytest.raises(KeyboardInterrupt):
        cut.train()
    resumed = runner(config(method), tmp_path / 'parts', epochs=2, resume=True, teacher_ckpt=ckpt)
    resumed.train()
    assert resumed.iter == whole.iter == 12
    assert equal(state(resumed.model), state(whole.model))
    for first, second in zip(*(r.optim_wrapper.state_dict()['state'].values() for r in (whole, resumed))):
        assert all(torch.equal(first[key], second[key]) for key in first if isinstance(first[key], torch.Tensor))
    saved = torch.load(ckpt, weights_only=True)['state_dict']
    for name, value in resumed.model.teacher.state_dict().items():
        assert torch.equal(value, saved[name]), name


MODERN = [
    dict(
        type='RandAugment',
        policies='timm_increasing',
        num_policies=2,
        total_level=10,
        magnitude_level=9,
        magnitude_std=0.5,
    ),
    dict(type='PackInputs'),
]
MIXING = dict(augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)])


def first_losses(method, seen):
    """Losses of a batch under RandAugment, mixup and CutMix; ``seen`` collects what each network is given."""
    cfg = Config.fromfile(config(method))
    cfg.model.update(teacher_ckpt=None, allow_random_teacher=True, data_preprocessor=cfg.data_preprocessor)
    cfg.model.architecture.update(train_cfg=MIXING)
    cfg.model.architecture.head.cal_acc = False
    cfg.train_dataloader.dataset.update(pipeline=MODERN, indices=8)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset, model = DATASETS.build(cfg.train_dataloader.dataset), MODELS.build(cfg.model)
        model.init_weights()
        for network in (model.teacher, model.student):
            network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
        return model.train()(**model.data_preprocessor(default_collate([dataset[n] for n in range(8)]), True), mode='loss')


@pytest.mark.parametrize('method', ALL)
def test_randaugment_mixup_and_cutmix_are_one_draw_for_both_networks(method):
    seen = []
    losses = first_losses(method, seen)
    (teacher, teacher_samples), (student, student_samples) = seen
    assert torch.equal(teacher, student)
    scores = torch.stack([sample.gt_score for sample in student_samples])
    assert ((scores > 0).sum(dim=1) == 2).any()  # two classes in an image
    assert torch.equal(scores, torch.stack([sample.gt_score for sample in teacher_samples]))
    assert all(torch.isfinite(value).all() for value in losses.values())


@pytest.mark.parametrize('method', ['dkd', 'wsld', 'kd-crd'])
def test_a_method_that_needs_one_class_for_each_image_refuses_mixed_ones(method):
    with pytest.raises(ValueError, match=r'needs one class for each image.*remove train_cfg\.augments'):
        first_losses(method, [])
