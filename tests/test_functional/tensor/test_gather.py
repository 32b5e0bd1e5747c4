import pytest
import torch
import torch.distributed as dist

from icckd_mm.functional.tensor.gather import all_gather_batch, all_gather_rows, largest_batch, world_size

SIZES = (3, 0)


def test_one_process_gets_its_own_tensors_back():
    features, labels = torch.randn(3, 2), torch.tensor([0, 1, 1])
    assert world_size() == 1
    assert all_gather_rows(features) is features
    same, same_labels, offset = all_gather_batch(features, labels, filler=2, size=1)  # nothing is sent, no size to agree on
    assert same is features
    assert same_labels is labels
    assert offset == 0
    assert largest_batch(7, features.device) == 7


def rows_of_all(width):
    """Each rank's loss weighs row i of the joined rows by (i + 1)(rank + 1)."""
    rank = dist.get_rank()
    rows = (torch.arange(2.0 * width).view(2, width) + 10 * rank).requires_grad_()
    joined = all_gather_rows(rows)
    (joined * torch.arange(1.0, 5.0)[:, None] * (rank + 1)).sum().backward()
    return joined.detach(), rows.grad


def test_rows_stand_in_rank_order_and_their_gradient_is_that_of_all_ranks(processes):
    """mmpretrain's GatherLayer would give factor 1 on rank 0 and 2 on rank 1 instead of 1 + 2."""
    (joined, first), (same, second) = processes.run(rows_of_all, 3)
    assert torch.equal(joined, torch.cat([torch.arange(6.0).view(2, 3), torch.arange(6.0).view(2, 3) + 10]))
    assert torch.equal(joined, same)
    assert torch.equal(first, 3 * torch.tensor([[1.0], [2.0]]).expand(2, 3))
    assert torch.equal(second, 3 * torch.tensor([[3.0], [4.0]]).expand(2, 3))


def batch_of_all(size, dtype):
    rank = dist.get_rank()
    features = torch.full((SIZES[rank], 2), rank + 1.0, requires_grad=True)
    joined, labels, offset = all_gather_batch(features, torch.arange(SIZES[rank], dtype=dtype), filler=300, size=size)
    joined.sum().backward()
    return joined.detach(), labels, offset, features.grad


@pytest.mark.parametrize(('size', 'rows'), [(None, 3), (5, 5)])
@pytest.mark.parametrize('dtype', [torch.int64, torch.uint8])
def test_a_batch_is_filled_up_with_rows_of_no_class(processes, size, rows, dtype):
    """Also where the filler does not fit into the labels' own type, and an empty rank takes part in the backward pass."""
    for rank, (joined, labels, offset, gradient) in enumerate(processes.run(batch_of_all, size, dtype)):
        assert labels.tolist() == [0, 1, 2] + [300] * (2 * rows - 3)
        assert joined.tolist() == [[1.0, 1.0]] * 3 + [[0.0, 0.0]] * (2 * rows - 3)
        assert offset == rank * rows
        assert torch.equal(gradient, torch.full((SIZES[rank], 2), 2.0))


def too_large():
    try:
        all_gather_batch(torch.zeros(4, 2), torch.zeros(4).long(), filler=9, size=3)
    except ValueError as error:
        return str(error)


def test_more_rows_than_agreed_are_named(processes):
    for message in processes.run(too_large):
        assert message.startswith('a batch of 4 rows, but the processes have agreed on 3 at most')
