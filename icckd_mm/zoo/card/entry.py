"""What the metafile and the model card of a zoo entry say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mmengine.config import Config

from icckd_mm.plain_text import plain
from icckd_mm.zoo.input_shape import Shape
from icckd_mm.zoo.network import Network
from icckd_mm.zoo.standalone_config import without_machine

FOLDERS = ('CustomDataset',)  # data sets of somebody's own


@dataclass
class Entry:
    """Content of the metafile and model card of a model.

    Attributes:
        name: Its name.
        weights: File name of its weights.
        network: From :func:`icckd_mm.zoo.network.take_network`.
        config: From :func:`icckd_mm.zoo.standalone_config.standalone_config`.
        shape: Channels, height and width of the images that the network is given.
        sizes: From :func:`icckd_mm.zoo.card.complexity.complexity`.
        metrics: Results on the test split, such as ``{'accuracy/top1': 98.6}``.
        teacher: The results of its teacher.
        files: Names of its other files.
        with_preprocess: Whether the ONNX graph holds the preprocessing.
        root: Path of the folder relative to that of the model index, ``''`` without one.
        modules: Modules of the user that register the network.
    """

    name: str
    weights: str
    network: Network
    config: Config
    shape: Shape
    sizes: dict[str, int]
    metrics: dict[str, float]
    teacher: dict[str, float] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    with_preprocess: bool = False
    root: str = ''
    modules: Sequence[str] = ()

    def beside(self, suffix: str) -> str | None:
        """The file with that suffix, if it was written."""
        return next((name for name in self.files if name.endswith(suffix)), None)


def dataset_name(run: Config, loader: str = 'test_dataloader') -> str:
    """Name of the data set of a run, with its wrappers, ``'ClassMap(CIFAR100)'``, or its folder, ``'flowers/val'``."""
    dataset = (run.get(loader) or {}).get('dataset') or {}
    name = plain(str(dataset.get('type', 'unknown')).rsplit('.', 1)[-1])
    if name in FOLDERS:
        parts = [without_machine(dataset).get('data_root') or '', without_machine(dataset).get('data_prefix') or '']
        parts[1] = parts[1].get('img_path', '') if isinstance(parts[1], dict) else parts[1]
        named = [part for part in '/'.join(map(str, parts)).split('/') if part not in ('', '.', '..')]
        return plain('/'.join(named[-2:]) or name)
    return f'{name}({dataset_name({loader: dataset}, loader)})' if 'dataset' in dataset else name
