"""Two gloo processes compute what one would on the joined batch (batch norm off, equal local batches)."""

import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from icckd_mm.models import IntraClassContrastiveLoss

BATCH, CLASSES, WIDTH, STEPS = 6, 3, 4, 5


class Net(torch.nn.Module):
    def __init__(self, in_batch):
        super().__init__()
        torch.manual_seed(0)
        self.body = torch.nn.Linear(8, WIDTH)
        self.head = torch.nn.Linear(WIDTH, CLASSES)
        self.loss = IntraClassContrastiveLoss(
            CLASSES, WIDTH, queue_size=5, margin=0.0, temperature=0.3, loss_weight=1.0, in_batch_negatives=in_batch
        )

    def forward(self, views, labels):
        features, positives = (self.body(view) for view in views)
        logits = self.head(features)
        return torch.nn.functional.cross_entropy(logits, labels) + self.loss(features, positives, logits, labels)


def batch(step, scenario):
    generator = torch.Generator().manual_seed(step)
    views = torch.randn(2, 2 * BATCH, 8, generator=generator)
    labels = torch.randint(CLASSES, (2 * BATCH,), generator=generator)
    if scenario == 'a rank without class 0':
        labels[BATCH:] = labels[BATCH:].clamp_min(1)
    if scenario == 'a gate that is shut on one rank':
        views[:, BATCH:] = 0  # equal features and logits: rarely the right class
    return views, labels


def steps(model, loss, scenario, rows):
    """Losses and final weights of a few SGD steps on the rows of this process."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    values = []
    for step in range(STEPS):
        views, labels = batch(step, scenario)
        optimizer.zero_grad()
        value = model(views[:, rows], labels[rows])
        value.backward()
        optimizer.step()
        values.append(value.item())
    return values, {name: tensor.detach().clone() for name, tensor in loss.named_parameters()}, dict(loss.named_buffers())


def worker(rank, port, scenario, in_batch, queue):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group('gloo', rank=rank, world_size=2)
    net = Net(in_batch)
    model = DistributedDataParallel(net, broadcast_buffers=False)
    rows = slice(rank * BATCH, (rank + 1) * BATCH)
    values, weights, buffers = steps(model, net, scenario, rows)
    queue.put((rank, values, {k: v.numpy() for k, v in weights.items()}, {k: v.numpy() for k, v in buffers.items()}))
    dist.barrier()
    dist.destroy_process_group()


def free_port():
    import socket

    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ('scenario', 'in_batch'),
    [('plain', True), ('plain', False), ('a rank without class 0', True), ('a gate that is shut on one rank', True)],
)
def test_two_processes_equal_one(scenario, in_batch):
    """anchors.md 4.3 test 11: loss, gradients (through five steps) and queue; queues equal on both ranks."""
    context = mp.get_context('spawn')
    queue, port = context.SimpleQueue(), free_port()
    processes = [context.Process(target=worker, args=(rank, port, scenario, in_batch, queue)) for rank in range(2)]
    for process in processes:
        process.start()
    results = sorted(queue.get() for _ in processes)
    for process in processes:
        process.join()
        assert process.exitcode == 0

    net = Net(in_batch)
    values, weights, buffers = steps(net, net, scenario, slice(None))
    # each rank's value is its own cross-entropy plus the joined intra-class loss: their mean is the value of one process
    joined = [(a + b) / 2 for a, b in zip(results[0][1], results[1][1])]
    assert joined == pytest.approx(values, rel=1e-4)
    for _, _, rank_weights, rank_buffers in results:
        for name, value in weights.items():
            torch.testing.assert_close(torch.from_numpy(rank_weights[name]), value, rtol=1e-4, atol=1e-5)
        for name, value in buffers.items():
            torch.testing.assert_close(torch.from_numpy(rank_buffers[name]), value, rtol=1e-4, atol=1e-5)
    assert all((results[0][3][name] == results[1][3][name]).all() for name in buffers)
