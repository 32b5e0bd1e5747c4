"""A real run of two epochs, trained once, and forged copies of its files."""

import shutil

import pytest
import torch

from tests.helpers import ICC, build, train
from tests.test_compat.conftest import python  # noqa: F401  # a fixture

RUN = dict(
    validate=True,
    param_scheduler=[dict(type='MultiStepLR', milestones=[1]), dict(type='LinearLR', by_epoch=False, end=2)],
    default_hooks=dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1, save_best='auto', max_keep_ckpts=1)),
)


def loop(epochs):
    return dict(type='icckd_mm.ExactTrainLoop', max_epochs=epochs)


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('attacked') / 'A'
    torch.set_num_threads(1)
    train(folder, train_cfg=loop(2), **RUN)
    return folder


class Attacked:
    """A copy of the run."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / 'epoch_2.pth'
        (self.best,) = folder.glob('best_*.pth')

    def forge(self, change):
        """Write the last checkpoint again with ``change`` made to its content."""
        content = torch.load(self.file, weights_only=True)
        change(content)
        torch.save(content, self.file)
        return self.file

    def runner(self, epochs=3, hooks=(ICC,), **options):
        """A runner that resumes from the last checkpoint."""
        options = {'resume': True, 'load_from': str(self.file), 'train_cfg': loop(epochs), **options}
        return build(options.pop('work_dir', self.folder), hooks=hooks, **{**RUN, **options})

    def resume(self, *args, **options):
        runner = self.runner(*args, **options)
        runner.train()
        return runner


@pytest.fixture
def run(trained, tmp_path):
    return Attacked(shutil.copytree(trained, tmp_path / 'A'))
