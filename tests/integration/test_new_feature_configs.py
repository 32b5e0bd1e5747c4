"""The methods between features and relations on the digits: what is trained, and a run that is resumed."""

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, DefaultScope
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
