import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

import icckd_mm  # noqa: F401
from icckd_mm.engine.classifier_layers import find_layers, last_linear, named_module
from tests.helpers import CONV


class Backwards(nn.Module):
    """Registers its classifier before a hidden layer that is called earlier."""

    def __init__(self):
        super().__init__()
        self.classifier = nn.Linear(4, 3)
        self.hidden = nn.Linear(6, 4)

    def forward(self, x, mode='tensor'):
        return self.classifier(self.hidden(x))


def classifier(**changes):
    return MODELS.build({**CONV, '_scope_': 'mmpretrain', **changes})


def test_the_last_called_linear_counts_not_the_last_registered():
    model = Backwards()
    layers = find_layers(model, torch.zeros(1, 6), None, None)
    assert layers.logits is model.classifier
    assert (layers.feat_dims, layers.num_classes) == (4, 3)


def test_features_are_the_input_of_a_named_logits_layer():
    model = Backwards()
    layers = find_layers(model, torch.zeros(1, 6), None, 'hidden')
    assert (layers.feat_dims, layers.num_classes) == (6, 4)


def test_looking_leaves_no_trace():
    model = classifier()
    model.train()
    model.backbone.bn1.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    last_linear(model, torch.randn(2, 3, 8, 8))
    assert model.training
    assert not model.backbone.bn1.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_recording_follows_every_forward_pass():
    model, seen = classifier().eval(), {}
    layers = find_layers(model, torch.randn(1, 3, 8, 8), None, None)
    layers.record(seen.__setitem__)
    images = torch.randn(5, 3, 8, 8)
    torch.testing.assert_close(model(images), seen['logits'])
    torch.testing.assert_close(seen['features'], model.extract_feat(images)[-1])


def test_a_module_that_is_never_called_is_named():
    with pytest.raises(ValueError, match=r"features='head\.loss_module' gives NoneType"):
        find_layers(classifier(), torch.randn(1, 3, 8, 8), 'head.loss_module', None)


def test_the_model_itself_is_no_name():
    with pytest.raises(ValueError, match="features='' is not a module"):
        named_module(classifier(), '', 'features')


def test_a_head_that_scales_its_cosines_gives_the_logits():
    """The gate of the teacher needs what the loss sees: cosines alone give no class a probability of 0.5."""
    head = dict(type='ArcFaceClsHead', num_classes=10, in_channels=8, scale=30.0, margins=0.3)
    model, seen = classifier(head=head), {}
    layers = find_layers(model, torch.randn(1, 3, 8, 8), None, None)
    assert (layers.feat_dims, layers.num_classes) == (8, 10)
    layers.record(seen.__setitem__)
    images, labels = torch.randn(5, 3, 8, 8), torch.arange(5)
    model.eval()
    torch.testing.assert_close(model(images), seen['logits'])
    assert seen['logits'].abs().max() > 1  # no cosine
    torch.testing.assert_close(seen['features'], model.extract_feat(images)[-1])
    given = []
    model.head.loss_module.register_forward_hook(lambda _, args, __: given.append(args[0]))
    model(images, [DataSample().set_gt_label(int(label)) for label in labels], mode='loss')
    torch.testing.assert_close(seen['logits'], given[0])
