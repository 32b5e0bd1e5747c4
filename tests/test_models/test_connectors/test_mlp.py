import pytest
import torch

from icckd_mm.models import MLPConnector
from icckd_mm.registry import MODELS


@pytest.mark.parametrize('options', [{}, dict(expansion=2)], ids=str)
def test_is_linear_norm_relu_linear_of_the_published_widths(options):
    connector = MODELS.build(dict(type='icckd_mm.MLPConnector', in_dims=4, out_dims=6, **options))
    hidden = options.get('expansion', 16) * 6
    shapes = {name: tuple(value.shape) for name, value in connector.named_parameters() if value.ndim == 2}
    assert shapes == {'layers.0.weight': (hidden, 4), 'layers.3.weight': (6, hidden)}
    features = torch.randn(8, 4)
    first, norm, _, last = connector.layers
    between = features @ first.weight.T + first.bias
    between = (between - between.mean(0)) / (between.var(0, unbiased=False) + norm.eps).sqrt()
    torch.testing.assert_close(connector(features), between.clamp_min(0) @ last.weight.T + last.bias)


def test_bad_input_is_named():
    for options in (dict(in_dims=0), dict(out_dims=0), dict(expansion=0)):
        (name,) = options
        with pytest.raises(ValueError, match=f'{name} must be an integer of at least 1, got 0'):
            MLPConnector(**{'in_dims': 4, 'out_dims': 6, **options})
    with pytest.raises(ValueError, match='feature has width 5, but 4'):
        MLPConnector(4, 6)(torch.zeros(2, 5))
    with pytest.raises(ValueError, match='feature must be 2-D'):
        MLPConnector(4, 6)(torch.zeros(2, 4, 1, 1))


def test_one_image_in_training_is_refused_with_what_to_do():
    connector = MODELS.build(dict(type='icckd_mm.MLPConnector', in_dims=4, out_dims=3))
    with pytest.raises(ValueError, match=r'set train_dataloader.drop_last=True'):
        connector(torch.randn(1, 4))
    assert connector.eval()(torch.randn(1, 4)).shape == (1, 3)
