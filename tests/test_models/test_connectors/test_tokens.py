"""Tokens of a transformer as maps."""

import pytest
import torch

from icckd_mm.models import TokensToMap


def test_tokens_fill_the_map_row_by_row_without_the_class_token():
    tokens = torch.arange(2 * 5 * 3.0).reshape(2, 5, 3)
    maps = TokensToMap(extra_tokens=1)(tokens)
    for row in range(2):
        for column in range(2):
            torch.testing.assert_close(maps[:, :, row, column], tokens[:, 1 + 2 * row + column])


def test_a_map_with_its_channels_last_gets_them_first():
    maps = torch.rand(2, 4, 4, 3)
    torch.testing.assert_close(TokensToMap()(maps), maps.permute(0, 3, 1, 2))


def test_a_connector_reads_the_map():
    connector = dict(type='torch.nn.Conv2d', in_channels=3, out_channels=7, kernel_size=1)
    module = TokensToMap(connector=connector)
    assert module(torch.rand(2, 4, 3)).shape == (2, 7, 2, 2)
    assert any(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.parametrize('shape', [(2, 6, 3), (2, 3), (2, 5, 3)])
def test_tokens_that_fill_no_square_are_refused(shape):
    with pytest.raises(ValueError, match='tokens'):
        TokensToMap()(torch.rand(shape))


@pytest.mark.parametrize('extra', [-1, 1.0, 'one'])
def test_a_wrong_number_of_extra_tokens_is_refused(extra):
    with pytest.raises(ValueError, match='extra_tokens must be a whole number'):
        TokensToMap(extra_tokens=extra)
