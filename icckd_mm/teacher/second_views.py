"""Sources of the positive of each image, and what each one needs from the data and the step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from mmpretrain.structures import DataSample
from torch import Tensor, nn

from icckd_mm.models.losses import IntraClassContrastiveLoss
from icckd_mm.models.queues import FeatureBank
from icckd_mm.structures import places_of

Encode = Callable[[Tensor], Tensor]  # images (N, 3, H, W) to features (N, D), in a pass without gradient
Positives = Callable[[Tensor], Tensor]  # features of the classifier's pass to positives (N, D)


class SecondView:
    """A source of the positive of each image.

    Attributes:
        loader_views (int): Views of each image that the training loader gives, 1 or 2.
        shares_batch (bool): Whether both views pass the network as one batch of 2N.
        needs_index (bool): Whether each data sample must have its ``sample_idx``.
    """

    loader_views = 2
    shares_batch = False
    needs_index = False

    def stores(self, num_images: int, feat_dims: int) -> dict[str, nn.Module]:
        """Modules that store features, by their name in ``icc_loss``; they are saved and resumed with it.

        Args:
            num_images: Images that ``sample_idx`` numbers, 0 if the runner does not train.
            feat_dims: Width of the features.
        """
        return {}

    def begin(
        self, inputs: Tensor, samples: Sequence[DataSample], loss: IntraClassContrastiveLoss, encode: Encode
    ) -> tuple[Tensor, Positives]:
        """The input of the classifier's pass, and a function from the features of that pass to the positives.

        Args:
            inputs: All views ``(loader_views * N, 3, H, W)``, view 1 first.
            samples: The N data samples.
            loss: The loss of the classifier, which holds what :meth:`stores` made.
            encode: Runs one more pass through the classifier.
        """
        raise NotImplementedError


class WithGradient(SecondView):
    """Both views in one batch of 2N, both with gradient, as in the paper."""

    shares_batch = True

    def begin(
        self, inputs: Tensor, samples: Sequence[DataSample], loss: IntraClassContrastiveLoss, encode: Encode
    ) -> tuple[Tensor, Positives]:
        return inputs, lambda features: features[len(samples) :]


class WithoutGradient(SecondView):
    """A pass of view 2 before that of view 1; it gives the positives, without gradient."""

    def begin(
        self, inputs: Tensor, samples: Sequence[DataSample], loss: IntraClassContrastiveLoss, encode: Encode
    ) -> tuple[Tensor, Positives]:
        positives = encode(inputs[len(samples) :])
        return inputs[: len(samples)], lambda features: positives


class Bank(SecondView):
    """The image's own feature of the last epoch, in the first epoch its current one; needs one view only."""

    loader_views = 1
    needs_index = True

    def stores(self, num_images: int, feat_dims: int) -> dict[str, nn.Module]:
        return {'bank': FeatureBank(num_images, feat_dims)} if num_images else {}

    def begin(
        self, inputs: Tensor, samples: Sequence[DataSample], loss: IntraClassContrastiveLoss, encode: Encode
    ) -> tuple[Tensor, Positives]:
        bank = cast(FeatureBank, loss.bank)

        def positives(features: Tensor) -> Tensor:
            index = places_of(samples, features.device)
            found = bank.read(index, default=features.detach())
            bank.write(index, features, loss.batch_size)
            return found

        return inputs, positives


SECOND_VIEWS: dict[str, SecondView] = {'grad': WithGradient(), 'no_grad': WithoutGradient(), 'bank': Bank()}
DROPPED = ('half', 'small', 'momentum')  # of version 0.1.0


def check_second_view(second_view: str) -> None:
    """Raise ``ValueError`` unless it is a key of ``SECOND_VIEWS``; for one of version 0.1.0 it says what to use."""
    if second_view in DROPPED:
        raise ValueError(
            f"second_view={second_view!r} was dropped after version 0.1.0; use 'no_grad' (a pass of view 2 without gradient) "
            "or 'bank' (no pass, one view)"
        )
    if second_view not in SECOND_VIEWS:
        raise ValueError(f'second_view must be one of {", ".join(SECOND_VIEWS)}, got {second_view!r}')
