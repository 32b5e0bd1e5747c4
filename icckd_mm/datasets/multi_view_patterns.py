"""Generated images whose classes have several independent views."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmpretrain.datasets import BaseDataset

from icckd_mm.registry import DATASETS

GRID = 3  # an image has 3x3 places for a pattern
GREY, CONTRAST = 128, 80  # grey level of the background, and contrast of a pattern of full strength
STRONG = (0.6, 1.0)  # strength of the views of an image's own class
SPLITS = ('train', 'test')
PATTERNS = len(SPLITS)  # stream of random numbers, separate from those of the splits


@DATASETS.register_module()
class MultiViewPatterns(BaseDataset):
    """Small images whose class each of several views reveals, after the theory of Allen-Zhu and Li.

    A view of a class is a fixed random texture, black or white in each channel of each pixel. An image is noise around a grey
    level with textures in some of its 3x3 places:

    - A *multi-view* image shows all views of its class, and weak traces of one view each of ``traces`` other classes: what
      soft labels can tell of an image beyond its label.
    - A *single-view* image shows one view of its class and nothing else: only a network that has learnt this view can classify
      it, while multi-view images can be learnt by a single view of each class.

    Each image is a function of (seed, split, index), so a smaller set is the first part of a larger one. Classes come in turn,
    and in each class single-view images and their views do, so any first part of the data is balanced. The result of
    ``get_data_info`` has ``gt_label``; ``view``, the view that a single-view image shows, -1 for multi-view images; and
    ``traces``, a list of (class, view). ``PackInputs(meta_keys=('sample_idx', 'img_shape', 'view', 'traces'))`` keeps both.

    Args:
        split: ``'train'`` or ``'test'``: different images of the same patterns. Defaults to ``'train'``.
        images: Number of images. Defaults to 500.
        single_view: Share of single-view images in [0, 1]. In the theory it is small in training; a test with many
            shows which networks have learnt all views. Defaults to 0.1.
        num_classes: Classes, at least 2. Defaults to 10.
        views: Views of a class, 1 to 9. Defaults to 3.
        traces: Other classes of which a multi-view image has a trace; at most 9 together with the views. Defaults to 2.
        trace_strength: Contrast of a trace, where a view has 0.6 to 1. Defaults to 0.4.
        noise: Standard deviation of the noise in grey levels of 255. Defaults to 30.
        size: Side of the images in pixels, at least 6. Defaults to 16.
        seed: Seed of patterns and images. Defaults to 0.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`: ``pipeline`` (without ``LoadImageFromFile``, the images
            are in memory), ``indices``, ``test_mode``, …

    Raises:
        ValueError: If an argument is out of its range, or the patterns of an image exceed its places.

    Source: Allen-Zhu and Li 2020, arXiv 2012.09816, for views, single-view images and traces ("feature noise"). That they are
    textures in images, that single-view images have no traces at all instead of very weak ones, and all numbers are our choice:
    all views are equally strong, so chance decides which a network misses, and at this noise and number of images a small
    ResNet fits the training images and classifies nearly all multi-view test images, but misses some views.
    """

    def __init__(
        self,
        split: str = 'train',
        images: int = 500,
        single_view: float = 0.1,
        num_classes: int = 10,
        views: int = 3,
        traces: int = 2,
        trace_strength: float = 0.4,
        noise: float = 30.0,
        size: int = 16,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be 'train' or 'test', got {split!r}")
        lowest = dict(images=(images, 1), num_classes=(num_classes, 2), views=(views, 1), traces=(traces, 0))
        for name, (value, low) in {**lowest, 'size': (size, 2 * GRID), 'seed': (seed, 0)}.items():
            if not isinstance(value, int) or value < low:
                raise ValueError(f'{name} must be an integer of at least {low}, got {value!r}')
        if traces >= num_classes or views + traces > GRID**2:
            raise ValueError(
                f'traces must be below num_classes, and views + traces at most {GRID**2}, the positions in an image; '
                f'got traces={traces}, num_classes={num_classes}, views={views}'
            )
        for name, share in (('single_view', single_view), ('trace_strength', trace_strength)):
            if not isinstance(share, (int, float)) or not 0 <= share <= 1:
                raise ValueError(f'{name} must be in [0, 1], got {share!r}')
        if not isinstance(noise, (int, float)) or not 0 <= noise < GREY:
            raise ValueError(f'noise must be in [0, {GREY}) grey levels, got {noise!r}')
        self.split, self.images, self.single_view, self.seed = split, images, single_view, seed
        self.num_classes, self.views, self.traces = num_classes, views, traces
        self.trace_strength, self.noise, self.size = trace_strength, noise, size
        super().__init__(ann_file='', classes=[f'class {label}' for label in range(num_classes)], **kwargs)

    @property
    def patterns(self) -> np.ndarray:
        """Textures of all views, ``(num_classes, views, side, side, 3)`` of -1 and 1; ``side`` is a third of ``size``."""
        generator = np.random.default_rng((self.seed, PATTERNS))
        side = self.size // GRID
        return generator.choice((-1.0, 1.0), (self.num_classes, self.views, side, side, 3))

    def load_data_list(self) -> list[dict]:
        """The images of the split.

        Returns:
            ``img``, an array ``(size, size, 3)`` of uint8, ``gt_label``, ``view`` and ``traces`` of each.
        """
        patterns = self.patterns
        return [self._sample(index, patterns) for index in range(self.images)]

    def _sample(self, index: int, patterns: np.ndarray) -> dict:
        generator = np.random.default_rng((self.seed, SPLITS.index(self.split), index))
        turn, label = divmod(index, self.num_classes)
        before, then = (int(turns * self.single_view + 1e-9) for turns in (turn, turn + 1))  # this class's single-view images
        view = before % self.views if then > before else -1
        shown = [(label, view)] if view >= 0 else [(label, own) for own in range(self.views)]
        others = generator.permutation(self.num_classes - 1)[: self.traces if view < 0 else 0]
        traces = [(int(other + (other >= label)), int(generator.integers(self.views))) for other in others]
        strengths = [*generator.uniform(*STRONG, len(shown)), *[self.trace_strength] * len(traces)]
        image = generator.normal(GREY, self.noise, (self.size, self.size, 3))
        side = patterns.shape[2]
        shift = generator.integers(self.size - GRID * side + 1, size=2)
        places = generator.permutation(GRID**2)
        for (kind, which), strength, place in zip([*shown, *traces], strengths, places):
            top, left = shift + side * np.array(divmod(place, GRID))
            image[top : top + side, left : left + side] += CONTRAST * strength * patterns[kind, which]
        return {'img': image.clip(0, 255).round().astype(np.uint8), 'gt_label': label, 'view': view, 'traces': traces}

    def extra_repr(self) -> list[str]:
        return [f'Split: \t{self.split}', f'Views of a class: \t{self.views}', f'Single-view images: \t{self.single_view:.0%}']
