"""A real mmengine Runner on a few random rows; as a script: ``tiny_runner.py <patch: 0 or 1> <arguments of train as JSON>``."""

import json
import sys
import warnings
from pathlib import Path

TRAINED = '{work_dir}/rank_{rank}.json'


def train(work_dir, max_epochs=1, checkpoint=None, **kwargs):
    """Trains on the CPU and returns the runner; the stock checkpoint lies in ``<work_dir>/epoch_<n>.pth``."""
    import torch
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    class Tiny(BaseModel):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))

        def forward(self, inputs, labels, mode='tensor'):
            logits = self.net(inputs)
            return {'loss': torch.nn.functional.cross_entropy(logits, labels)} if mode == 'loss' else logits

    generator = torch.Generator().manual_seed(0)
    rows = [{'inputs': torch.randn(3, generator=generator), 'labels': i % 2} for i in range(16)]
    torch.manual_seed(0)
    runner = Runner(
        model=Tiny(),
        work_dir=str(work_dir),
        train_dataloader={
            'batch_size': 4,
            'dataset': rows,
            'sampler': {'type': 'DefaultSampler', 'shuffle': True},
            'collate_fn': {'type': 'default_collate'},
        },
        train_cfg={'by_epoch': True, 'max_epochs': max_epochs},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}},
        default_hooks={'checkpoint': {'type': 'CheckpointHook', 'interval': 1, **(checkpoint or {})}},
        randomness={'seed': 0},
        experiment_name=f'{Path(work_dir).name}_{id(rows)}',
        log_level='ERROR',
        **kwargs,
    )
    runner.train()
    return runner


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    if sys.argv[1] == '1':
        import icckd_mm  # noqa: F401
    arguments = json.loads(sys.argv[2])
    done = train(**arguments)
    weights = {name: value.tolist() for name, value in done.model.state_dict().items()}
    Path(TRAINED.format(rank=done.rank, **arguments)).write_text(json.dumps([type(done.model).__name__, done.epoch, weights]))
