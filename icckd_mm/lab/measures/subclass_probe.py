"""Measures what a network trained on coarse labels knows about the fine classes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from icckd_mm.datasets.even_subset import spread

IMAGES = 2000  # training images for the class means


def subclass_probe(means_of: tuple[Tensor, Tensor, Tensor], tested: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
    r"""Nearest class mean: :math:`\hat y = \arg\min_y \lVert f - \mu_y \rVert`, features and means are not normalised.

    Args:
        means_of: Features ``(N, D)``, fine labels ``(N,)`` and coarse labels ``(N,)`` of
            the training images, for the class means.
        tested: The same of the images to classify.

    Returns:
        Top-1 in percent: ``fine`` among all fine classes; ``within_coarse`` among those of the true coarse
        class only, which excludes what the labels have taught; ``chance``, the latter for random guesses.

    Raises:
        ValueError: If a fine class to be tested has no training image, or belongs to two coarse ones.

    Source: Nearest-class-mean classifier of Mensink et al. 2013, with Euclidean distance.

    Example:
        >>> features = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
        >>> subclass_probe(*[(features, torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1]))] * 2)
        {'fine': 100.0, 'within_coarse': 100.0, 'chance': 66.666667}
    """
    features, fine, coarse = means_of
    known = fine.unique()
    unknown = sorted(set(tested[1].tolist()) - set(known.tolist()))
    if unknown:
        raise ValueError(f'there are no training images of the fine classes {unknown[:10]}; take more training images')
    units = F.normalize(features.double(), dim=1)
    means = torch.stack([units[fine == label].mean(dim=0) for label in known])
    owners = [coarse[fine == label].unique() for label in known]
    if any(len(owner) > 1 for owner in owners):
        raise ValueError('a fine class must belong to one coarse class; check the groups')
    distances = torch.cdist(F.normalize(tested[0].double(), dim=1), means)
    siblings = torch.cat(owners)[None, :] == tested[2][:, None]
    right = torch.searchsorted(known, tested[1])
    guessed = {'fine': distances.argmin(dim=1), 'within_coarse': distances.where(siblings, torch.inf).argmin(dim=1)}
    shares = {name: (guess == right).double().mean() for name, guess in guessed.items()}
    shares['chance'] = (1 / siblings.sum(dim=1).double()).mean()
    return {name: round(100 * float(share), 6) for name, share in shares.items()}


class AsTested(Dataset):
    """Training images with the pipeline of the test images.

    Args:
        dataset: The training set, whose ``get_data_info`` gives ``fine_label``.
        pipeline: Transforms of the test set.
        images: Maximum number of images, spread evenly over the data set. Defaults to 2,000.
    """

    def __init__(self, dataset: Any, pipeline: Any, images: int = IMAGES) -> None:
        self.dataset, self.pipeline = dataset, pipeline
        self.rows = spread(len(dataset), min(images, len(dataset)))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        info = self.dataset.get_data_info(self.rows[index])
        fine_label = info['fine_label']
        item = self.pipeline(info)
        item['data_samples'].set_metainfo({'fine_label': fine_label})
        return item


def loader_as_tested(train_set: Any, test_loader: Any) -> DataLoader:
    """A loader of some training images with the pipeline of the test images.

    Args:
        train_set: The training set; may be wrapped, for example in ``RepeatableDataset``.
        test_loader: Loader of the test images, whose pipeline is used.

    Returns:
        The loader, in the order of the data set, with the test loader's batch size.
    """
    from icckd_mm.datasets.wrappers.nesting import innermost_datasets  # heavy

    images = AsTested(train_set, innermost_datasets(test_loader.dataset)[0].pipeline)
    return DataLoader(images, batch_size=test_loader.batch_size, collate_fn=test_loader.collate_fn)
