import pytest
import torch

from icckd_mm.functional.tensor.crop_flip import crop_and_flip, pack_images


@pytest.mark.parametrize('channels', [1, 3, 4])
def test_equals_slices_image_by_image(channels):
    images = torch.randint(256, (5, 6, 7, channels), dtype=torch.uint8)
    padded = torch.full((5, 10, 11, channels), 9, dtype=torch.uint8)
    padded[:, 2:8, 2:9] = images
    rows, tops, lefts = torch.tensor([4, 0, 4, 2]), torch.tensor([0, 6, 3, 1]), torch.tensor([6, 0, 2, 5])
    flips = torch.tensor([True, False, False, True])
    found = crop_and_flip(pack_images(images, 2, 9), rows, tops, lefts, flips, (4, 5))[..., :channels]
    for one, row, top, left, flip in zip(found, rows, tops, lefts, flips):
        window = padded[row, top : top + 4, left : left + 5]
        assert torch.equal(one, window.flip(1) if flip else window)


@pytest.mark.parametrize('images', [torch.zeros(2, 3, 3, 3), torch.zeros(2, 3, 3, 5, dtype=torch.uint8), torch.zeros(3, 3, 3)])
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match=r'images must be uint8 \(N, H, W, C\) with C <= 4, got torch'):
        pack_images(images)
