"""Two and four gloo processes compute the same as one on the joined batch (without batch norm, in float64)."""

import hashlib
import os
import signal
import time

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from icckd_mm.functional.tensor import gather
from icckd_mm.functional.tensor.gather import largest_batch
from icckd_mm.models import ClassQueue, IntraClassContrastiveLoss
from tests.processes import free_port, join

BATCH, CLASSES, INPUTS, WIDTH, STEPS = 12, 3, 8, 4, 5
NEGATIVES = {'both': {}, 'queue': dict(in_batch_negatives=False), 'batch': dict(queue_size=0)}
EXACT = dict(rtol=1e-9, atol=1e-11)


class Net(torch.nn.Module):
    """A classifier with both losses, or with the intra-class loss only, whose gate then uses given logits."""

    def __init__(self, negatives='both', alone=False):
        super().__init__()
        torch.manual_seed(0)
        self.body = torch.nn.Linear(INPUTS, WIDTH)
        self.head = None if alone else torch.nn.Linear(WIDTH, CLASSES)
        self.loss = IntraClassContrastiveLoss(
            CLASSES, WIDTH, margin=0.0, temperature=0.3, loss_weight=1.0, **{'queue_size': 5, **NEGATIVES[negatives]}
        )
        self.double()

    def forward(self, views, labels):
        features, positives = (self.body(view) for view in views)
        if self.head is None:
            return self.loss(features, positives, views[0, :, :CLASSES], labels)
        logits = self.head(features)
        return torch.nn.functional.cross_entropy(logits, labels) + self.loss(features, positives, logits, labels)


def batch(step, scenario='plain'):
    generator = torch.Generator().manual_seed(step)
    views = torch.randn(2, BATCH, INPUTS, generator=generator, dtype=torch.float64)
    labels = torch.randint(CLASSES, (BATCH,), generator=generator)
    last = slice(BATCH - BATCH // dict(two=2, four=4).get(scenario.split()[-1], 2), None)
    if 'lacks class 0' in scenario:
        labels[last] = labels[last].clamp_min(1)
    if 'gate is shut' in scenario:
        views[:, last] = 0  # equal features and logits: rarely the right class
    return views, labels


def steps(net, model, batches, checkpoint=None, stop=STEPS):
    """Value and gradients of each SGD step, and the final state; begins where the checkpoint, if it exists, ends."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    begin, history = 0, []
    if checkpoint is not None and checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(saved['net'])
        optimizer.load_state_dict(saved['optimizer'])
        begin = saved['step']
    for step in range(begin, stop):
        optimizer.zero_grad()
        value = model(*batches(step))
        value.backward()
        history.append((value.item(), {name: tensor.grad.clone() for name, tensor in net.named_parameters()}))
        optimizer.step()
    if checkpoint is not None and (not dist.is_initialized() or dist.get_rank() == 0):
        torch.save(dict(net=net.state_dict(), optimizer=optimizer.state_dict(), step=stop), checkpoint)
    if dist.is_initialized():
        dist.barrier()
    return history, net.state_dict()


def equal_shares(scenario, negatives, checkpoint=None, stop=STEPS):
    """One process's part of a training whose batches are cut into equal shares."""
    net = Net(negatives)
    model, rows = net, slice(None)
    if dist.is_initialized():
        torch.manual_seed(dist.get_rank())  # random numbers of a process must not matter
        model = DistributedDataParallel(net, broadcast_buffers=False)
        share = BATCH // dist.get_world_size()
        rows = slice(dist.get_rank() * share, (dist.get_rank() + 1) * share)

    def local(step):
        views, labels = batch(step, scenario)
        return views[:, rows], labels[rows]

    return steps(net, model, local, checkpoint, stop)


def checksum(state):
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(state[name].numpy().tobytes())
    return digest.hexdigest()


def assert_same(ranks, one):
    """Mean of the ranks' values, each rank's gradients (after DDP) and state are those of one process."""
    history, state = one
    for step, (value, gradients) in enumerate(history):
        # a rank's value is its own cross-entropy plus the joined intra-class loss
        assert sum(found[step][0] for found, _ in ranks) / len(ranks) == pytest.approx(value, rel=1e-9, abs=1e-11)
        for found, _ in ranks:
            torch.testing.assert_close(found[step][1], gradients, **EXACT)
    for _, found in ranks:
        torch.testing.assert_close(dict(found), dict(state), **EXACT)
    assert len({checksum(found) for _, found in ranks}) == 1


@pytest.mark.parametrize(
    ('world', 'scenario', 'negatives'),
    [
        (2, 'plain', 'both'),
        (4, 'plain', 'both'),
        (2, 'plain', 'queue'),
        (2, 'plain', 'batch'),
        (2, 'lacks class 0: the last of two', 'batch'),
        (2, 'lacks class 0: the last of two', 'both'),
        (4, 'lacks class 0: the last of four', 'both'),
        (2, 'gate is shut: the last of two', 'both'),
    ],
)
def test_several_processes_equal_one(processes, world, scenario, negatives):
    """Reliability test 11: total loss, gradients and queue of five steps; bit-identical weights and queues on all ranks."""
    assert_same(processes.run(equal_shares, scenario, negatives, world=world), equal_shares(scenario, negatives))


@pytest.mark.parametrize('world', [2, 4])
def test_several_processes_equal_one_across_a_resume(processes, world, tmp_path):
    """The file of rank 0 after two steps is enough to resume on every rank."""
    checkpoint = tmp_path / 'state.pth'
    before = processes.run(equal_shares, 'plain', 'both', checkpoint, 2, world=world)
    after = processes.run(equal_shares, 'plain', 'both', checkpoint, world=world, first=2)
    joined = [(first + second, state) for (first, _), (second, state) in zip(before, after)]
    assert_same(joined, equal_shares('plain', 'both'))


def test_another_number_of_processes_goes_on_from_the_same_file(processes, tmp_path):
    """The queue does not depend on how many processes fill it: four steps on two, the fifth on four."""
    checkpoint = tmp_path / 'state.pth'
    processes.run(equal_shares, 'plain', 'both', checkpoint, 4, world=2)
    after = processes.run(equal_shares, 'plain', 'both', checkpoint, world=4)
    history, state = equal_shares('plain', 'both')
    assert_same(after, (history[4:], state))


UNEQUAL = {
    2: [(5, 3), (6, 0), (1, 7), (0, 0), (4, 4)],
    4: [(4, 0, 1, 3), (0, 0, 0, 8), (2, 2, 2, 2), (0, 0, 0, 0), (5, 1, 1, 1)],
}


def unequal_shares(sizes, known, negatives):
    """The intra-class loss alone, on shares that differ from step to step."""
    net = Net(negatives, alone=True)
    model = net
    if dist.is_initialized():
        model = DistributedDataParallel(net, broadcast_buffers=False)
    if known:
        net.loss.batch_size = 8
        gather.largest_batch = None  # calling it would fail: with a known size nothing is exchanged and nothing waited for

    def local(step):
        views, labels = batch(step)
        stops = torch.tensor(sizes[step]).cumsum(0).tolist()
        rank = dist.get_rank() if dist.is_initialized() else None
        rows = slice(0, stops[-1]) if rank is None else slice(stops[rank] - sizes[step][rank], stops[rank])
        return views[:, rows], labels[rows]

    try:
        return steps(net, model, local)
    finally:
        gather.largest_batch = largest_batch


@pytest.mark.parametrize('negatives', NEGATIVES)
@pytest.mark.parametrize('known', [False, True])
@pytest.mark.parametrize('world', [2, 4])
def test_unequal_batches_give_the_loss_gradients_and_queue_of_the_joined_one(processes, world, known, negatives):
    """Reliability test 11: uneven and empty batches on some ranks or on all, whether the largest size is known or exchanged."""
    assert_same(
        processes.run(unequal_shares, UNEQUAL[world], known, negatives, world=world),
        unequal_shares(UNEQUAL[world], False, negatives),
    )


def enqueued(sizes):
    """A queue alone, with rows that must not enter it."""
    queue = ClassQueue(CLASSES, 4, WIDTH)
    for step, parts in enumerate(sizes):
        generator = torch.Generator().manual_seed(step)
        features = torch.randn(sum(parts), WIDTH, generator=generator)
        features[::3, 1] = torch.nan
        labels = torch.randint(CLASSES, (sum(parts),), generator=generator)
        if dist.is_initialized():
            features, labels = features.split(parts)[dist.get_rank()], labels.split(parts)[dist.get_rank()]
        queue.enqueue(features, labels.to(torch.uint8))
    return queue.state_dict()


@pytest.mark.parametrize('world', [2, 4])
def test_the_queue_alone_takes_unequal_batches_in_rank_order(processes, world):
    expected = enqueued(UNEQUAL[world])
    for found in processes.run(enqueued, UNEQUAL[world], world=world):
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def killed_in_the_middle(rank, port):
    torch.set_num_threads(1)
    join(rank, 2, port)
    net = Net()
    model = DistributedDataParallel(net, broadcast_buffers=False)

    def local(step):
        if (rank, step) == (1, 2):
            os.kill(os.getpid(), signal.SIGKILL)
        views, labels = batch(step)
        return views[:, 6 * rank : 6 * rank + 6], labels[6 * rank : 6 * rank + 6]

    steps(net, model, local)


def test_the_others_stop_with_an_error_when_a_rank_dies(capfd):
    """Reliability test 11: kill -9 of one rank; no launcher is there to end the other, which must not wait for it."""
    context, port = mp.get_context('fork'), free_port()  # these two need not import torch again
    members = [context.Process(target=killed_in_the_middle, args=(rank, port), daemon=True) for rank in range(2)]
    begin = time.monotonic()
    for member in members:
        member.start()
    for member in members:
        member.join(timeout=60)
    assert members[1].exitcode == -signal.SIGKILL
    assert members[0].exitcode not in (None, 0)
    assert time.monotonic() - begin < 60
    assert 'Error' in capfd.readouterr().err
