"""torch.compile sees a training step as one piece: no graph break, the same results."""

import copy
import logging
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.structures import DataSample

from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.models import IntraClassContrastiveLoss
from icckd_mm.teacher.second_views import SECOND_VIEWS
from icckd_mm.teacher.step import attach
from tests.helpers import CONV, state

ROWS = 6


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def samples(first=0):
    return [DataSample(metainfo=dict(sample_idx=first + index)).set_gt_label(index % 3) for index in range(ROWS)]


def teacher(second_view):
    """A classifier with the loss attached as in training."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(copy.deepcopy(CONV)).train()
    images = torch.randn(SECOND_VIEWS[second_view].loader_views * ROWS, 3, 8, 8)
    layers = find_layers(model, images[:1], None, None)
    model.icc_loss = IntraClassContrastiveLoss(layers.num_classes, layers.feat_dims, queue_size=4, margin=-1.0)
    attach(model, layers, second_view, 'first', num_images=ROWS)
    return model, images


class Places(logging.Handler):
    """Collects the file of each graph break."""

    def __init__(self):
        super().__init__()
        self.files = []

    def emit(self, record):
        message = record.getMessage()
        manager = re.findall(r'RecorderManager|DistillDeliveryManager', message)  # whoever enters it, it cannot be compiled
        self.files += [f'mmrazor {manager[0]}'] if manager else re.findall(r'in user code at (.*?):\d+', message)


@pytest.fixture
def breaks():
    """Files in which a graph breaks from here on."""
    places, logger = Places(), logging.getLogger('torch._dynamo.symbolic_convert.__graph_breaks')
    torch._logging.set_logs(graph_breaks=True)
    logger.addHandler(places)
    yield places.files
    logger.removeHandler(places)
    torch._logging.set_logs()


def test_a_break_is_seen(breaks):
    """So that the tests below can fail."""

    def broken(x):
        return x + 1 if x.sum().item() > 0 else x

    torch.compile(broken, backend='eager')(torch.ones(2))
    assert breaks == [__file__]


@pytest.mark.parametrize('second_view', SECOND_VIEWS)
def test_a_compiled_teachers_step_is_the_eager_one(second_view):
    """Two steps without a graph break: losses and gradients to 1e-5, the queue and the bank as well."""
    results = []
    for compiled in (False, True):
        model, images = teacher(second_view)
        call = torch.compile(model, backend='aot_eager', fullgraph=True) if compiled else model
        steps = []
        for number in range(2):
            losses = call(images + number, samples(), mode='loss')
            (losses['loss'] + losses['loss_icc']).backward()
            steps.append([losses['loss'].detach(), losses['loss_icc'].detach()])
        results.append((steps, [weight.grad for weight in model.parameters() if weight.requires_grad], state(model)))
    (steps, gradients, buffers), (other_steps, other_gradients, other_buffers) = results
    torch.testing.assert_close(other_steps, steps, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(other_gradients, gradients, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(other_buffers, buffers, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('name', ['icckd-kd-rkd_logits-neck', 'icckd-dist_logits', 'icckd-dkd_logits', 'icckd-kd-at_backbone'])
def test_a_compiled_students_step_is_the_eager_one(name, breaks):
    """Losses and gradients as without; mmrazor's recorders interrupt the graph, nothing of ours does."""
    found = []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = student(name).train()
        call = torch.compile(model, backend='aot_eager') if compiled else model
        losses = call(torch.ones(ROWS, 3, 16, 16).cumsum(3), samples(), mode='loss')
        losses = {name: value for name, value in losses.items() if 'loss' in name}
        sum(losses.values()).backward()
        gradients = [weight.grad for weight in model.student.parameters()]
        found.append(({name: value.detach() for name, value in losses.items()}, gradients))
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-5)
    assert breaks
    assert not [file for file in breaks if 'mmrazor' not in file]


def test_a_compiled_step_with_crd_is_broken_where_it_reads_the_indices_and_not_compiled_again(breaks):
    """Three steps of other images: losses as without compiling, and the third brings nothing new to compile."""
    found = []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = student('icckd-kd-crd_logits-neck').train()
        call = torch.compile(model, backend='eager') if compiled else model  # eager: it draws the same numbers
        losses = []
        for step in range(3):
            with torch._dynamo.config.patch(error_on_recompile=step == 2):
                parts = call(torch.ones(ROWS, 3, 16, 16).cumsum(3) + step, samples(step * ROWS), mode='loss')
            total = sum(value for name, value in parts.items() if 'loss' in name)
            total.backward()
            losses.append(total.detach())
        found.append((losses, model.distiller.distill_losses['loss_crd'].scale))
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-5)
    assert {file.rpartition('/')[2] for file in breaks if 'mmrazor' not in file} == {'crd.py'}


def test_a_teacher_in_half_precision_adds_no_graph_break(breaks):
    """And the compiled pass is the eager one, which is not that of single precision."""
    found = []
    for compiled, dtype in ((False, 'bfloat16'), (True, 'bfloat16'), (False, None)):
        torch.manual_seed(0)
        model = student('icckd-dist_logits', teacher_dtype=dtype, teacher_channels_last=True).train()
        call = torch.compile(model, backend='eager') if compiled else model
        call(torch.ones(ROWS, 3, 16, 16).cumsum(3), samples(), mode='loss')
        found.append(model.distiller.teacher_recorders.recorders['logits'].get_record_data())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert not [file for file in breaks if 'mmrazor' not in file]


def student(name, **options):
    """The distillation of a config, its teacher random."""
    cfg = Config.fromfile(f'configs/icckd/distill/{name}_resnet20_resnet8_1xb64_digits.py')
    return MODELS.build({**cfg.model, 'teacher_ckpt': None, 'allow_random_teacher': True, **options})
