#!/usr/bin/env python
"""Write docs/inventories: names of other projects and their pages, for links of the site that need no network.

Only names that the site mentions are listed. Each must exist in the installed package.
"""

from __future__ import annotations

import pkgutil
import zlib
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / 'docs/inventories'
HEAD = """# Sphinx inventory version 2
# Project: {project}
# Version:\x20
# The remainder of this file is compressed using zlib.
"""
PAGE = 'api/generated/{name}.html'  # of OpenMMLab's sites, one page per class
# project: {name as annotations and pages have it: (documented name, page)}
NAMES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    'python': {
        'collections.abc.Callable': ('collections.abc.Callable', 'library/collections.abc.html'),
        'collections.abc.Mapping': ('collections.abc.Mapping', 'library/collections.abc.html'),
        'collections.abc.Sequence': ('collections.abc.Sequence', 'library/collections.abc.html'),
        'os.PathLike': ('os.PathLike', 'library/os.html'),
        'pathlib.Path': ('pathlib.Path', 'library/pathlib.html'),
    },
    'torch': {
        'torch.Tensor': ('torch.Tensor', 'tensors.html'),
        'torch.device': ('torch.device', 'tensor_attributes.html'),
        'torch.nn.Linear': ('torch.nn.Linear', 'generated/torch.nn.Linear.html'),
        'torch.nn.Module': ('torch.nn.Module', 'generated/torch.nn.Module.html'),
        'torch.nn.modules.module.Module': ('torch.nn.Module', 'generated/torch.nn.Module.html'),
        'torch.optim.optimizer.Optimizer': ('torch.optim.Optimizer', 'optim.html'),
    },
    'mmengine': {
        'mmengine.hooks.CheckpointHook': ('mmengine.hooks.CheckpointHook', PAGE),
        'mmengine.hooks.EMAHook': ('mmengine.hooks.EMAHook', PAGE),
        'mmengine.runner.Runner': ('mmengine.runner.Runner', PAGE),
        'mmengine.runner.ValLoop': ('mmengine.runner.ValLoop', PAGE),
        'mmengine.runner.runner.Runner': ('mmengine.runner.Runner', PAGE),
    },
    'mmpretrain': {
        'mmpretrain.datasets.BaseDataset': ('mmpretrain.datasets.BaseDataset', PAGE),
        'mmpretrain.datasets.CustomDataset': ('mmpretrain.datasets.CustomDataset', PAGE),
        'mmpretrain.models.ClsDataPreprocessor': (
            'mmpretrain.models.utils.data_preprocessor.ClsDataPreprocessor',
            PAGE,
        ),
        'mmpretrain.models.classifiers.ImageClassifier': ('mmpretrain.models.classifiers.ImageClassifier', PAGE),
        'mmpretrain.structures.DataSample': ('mmpretrain.structures.DataSample', PAGE),
        'mmpretrain.structures.data_sample.DataSample': ('mmpretrain.structures.DataSample', PAGE),
    },
    'mmrazor': {
        'mmrazor.models.algorithms.SingleTeacherDistill': ('mmrazor.models.algorithms.SingleTeacherDistill', 'api.html'),
        'mmrazor.models.distillers.ConfigurableDistiller': ('mmrazor.models.distillers.ConfigurableDistiller', 'api.html'),
    },
}


def inventory(project: str, names: Mapping[str, tuple[str, str]]) -> bytes:
    """The bytes of an ``objects.inv`` of Sphinx, version 2."""
    lines = [f'{name} py:class 1 {page.format(name=shown)}#{shown} -\n' for name, (shown, page) in sorted(names.items())]
    return HEAD.format(project=project).encode() + zlib.compress(''.join(lines).encode(), 9)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    import icckd_mm  # noqa: F401  # patches mmrazor before it is imported

    for project, names in NAMES.items():
        for name, (documented, _) in names.items():
            for one in {name, documented}:
                pkgutil.resolve_name(one)  # raises where the package has no such class
        (FOLDER / f'{project}.inv').write_bytes(inventory(project, names))
        print(f'{project}: {len(names)} names')


if __name__ == '__main__':
    main()
