"""Foreign checkpoints, outputs of imported ones, and finished runs to publish."""

import pytest
import torch
from mmpretrain.registry import MODELS

from icckd_mm.models import backbones  # noqa: F401  # registers them
from tests.helpers import CONV, ICC, NORM, train

from .peer_networks import NETWORKS, randomise


@pytest.fixture
def peer_file(tmp_path):
    """Writes the checkpoint of a transcribed network and gives its path and the network."""

    def write(arch, num_classes=10, wrap=lambda state: {'model': state}, size=32):
        torch.manual_seed(0)
        network = randomise(NETWORKS[arch](num_classes), size)
        torch.save(wrap(network.state_dict()), tmp_path / 'src.pth')
        return tmp_path / 'src.pth', network

    return write


@pytest.fixture
def classifier():
    """Builds what a checkpoint describes, from the checkpoint alone."""

    def load(path):
        checkpoint = torch.load(path, weights_only=True)
        model = MODELS.build(checkpoint['meta']['model'])
        model.load_state_dict(checkpoint['state_dict'], strict=True)
        model.eval()
        return lambda images: model.head(model.extract_feat(images)) if model.with_neck else model.extract_feat(images)[-1]

    return load


@pytest.fixture(scope='session')
def teacher(tmp_path_factory):
    """Work dir and runner of a real teacher's training, with averaged weights."""
    folder = tmp_path_factory.mktemp('teacher')
    runner, _ = train(folder, validate=True, hooks=[ICC, dict(type='EMAHook', momentum=0.5)])
    return folder, runner


@pytest.fixture(scope='session')
def student(teacher, tmp_path_factory):
    """Work dir and runner of a real distillation by mmrazor from the teacher above."""
    folder = tmp_path_factory.mktemp('student')
    logits = dict(logits=dict(type='ModuleOutputs', source='head.fc'))
    model = dict(
        _scope_='mmrazor',
        type='SingleTeacherDistill',
        architecture=dict(_scope_='mmpretrain', **CONV),
        teacher=dict(_scope_='mmpretrain', **CONV),
        teacher_ckpt=str(teacher[0] / 'epoch_1.pth'),
        data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', **NORM),
        distiller=dict(
            type='ConfigurableDistiller',
            student_recorders=logits,
            teacher_recorders=logits,
            distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4, reduction='batchmean')),
            loss_forward_mappings=dict(
                loss_kl=dict(
                    preds_S=dict(recorder='logits', from_student=True), preds_T=dict(recorder='logits', from_student=False)
                )
            ),
        ),
    )
    val_cfg = dict(type='mmrazor.SingleTeacherDistillValLoop')
    runner, _ = train(folder, model, views=1, hooks=[], validate=True, val_cfg=val_cfg)
    return folder, runner
