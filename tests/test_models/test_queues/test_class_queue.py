import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from icckd_mm.models import ClassQueue
from tests import reference


def filled_by_loop(batches, classes, capacity, width):
    queue, ptr, filled = torch.zeros(classes, capacity, width), torch.zeros(classes).long(), torch.zeros(classes).long()
    for features, labels in batches:
        reference.enqueue(queue, ptr, filled, features, labels)
    return queue, ptr, filled


def assert_equal(ours, theirs):
    torch.testing.assert_close(ours.queue, theirs[0])
    assert torch.equal(ours.ptr, theirs[1])
    assert torch.equal(ours.filled, theirs[2])


@settings(max_examples=150, deadline=None)
@given(
    classes=st.integers(1, 5),
    capacity=st.integers(1, 7),
    sizes=st.lists(st.integers(0, 17), min_size=1, max_size=4),
    bad=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 10_000),
)
def test_enqueue_equals_a_loop(classes, capacity, sizes, bad, seed):
    """Reliability test 6: wrap-around, more than K rows of a class (the last K stay), any batch size, non-finite rows."""
    generator = torch.Generator().manual_seed(seed)
    batches = []
    for size in sizes:
        features = torch.randn(size, 3, generator=generator)
        features[torch.rand(size, generator=generator) < bad, 1] = [torch.nan, torch.inf, -torch.inf][seed % 3]
        batches.append((features, torch.randint(classes, (size,), generator=generator)))
    queue = ClassQueue(classes, capacity, 3)
    for features, labels in batches:
        queue.enqueue(features, labels)
    assert_equal(queue, filled_by_loop(batches, classes, capacity, 3))


def test_many_more_rows_than_slots():
    features, labels = torch.randn(500, 4), torch.randint(3, (500,))
    queue = ClassQueue(3, 8, 4)
    queue.enqueue(features, labels)
    assert_equal(queue, filled_by_loop([(features, labels)], 3, 8, 4))


def test_other_classes_stay_to_the_bit():
    queue = ClassQueue(4, 3, 2)
    queue.queue.normal_()
    before = queue.queue.clone()
    queue.enqueue(torch.randn(5, 2), torch.tensor([1, 1, 1, 1, 1]))
    assert torch.equal(queue.queue[[0, 2, 3]], before[[0, 2, 3]])


def test_rows_are_unit_whatever_comes_in():
    queue = ClassQueue(1, 4, 3)
    queue.enqueue(torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]]).half(), torch.tensor([0, 0], dtype=torch.int32))
    assert queue.queue.dtype == torch.float32
    torch.testing.assert_close(queue.queue[0, :2], torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 0.0]]), atol=1e-3, rtol=0)


def test_nothing_finite_leaves_everything_as_it_was():
    queue = ClassQueue(2, 3, 2)
    queue.enqueue(torch.randn(4, 2), torch.tensor([0, 1, 0, 1]))
    state = {name: value.clone() for name, value in queue.state_dict().items()}
    queue.enqueue(torch.full((3, 2), torch.nan), torch.tensor([0, 1, 1]))
    assert all(torch.equal(value, state[name]) for name, value in queue.state_dict().items())


def test_state_survives_a_round_trip_and_another_size_is_refused():
    """Reliability test 9."""
    queue = ClassQueue(2, 3, 4)
    queue.enqueue(torch.randn(4, 4), torch.tensor([0, 1, 0, 0]))
    twin = ClassQueue(2, 3, 4)
    twin.load_state_dict(queue.state_dict())
    more = torch.randn(5, 4), torch.tensor([0, 1, 1, 0, 0])
    queue.enqueue(*more)
    twin.enqueue(*more)
    assert all(torch.equal(a, b) for a, b in zip(queue.state_dict().values(), twin.state_dict().values()))
    for size in ((2, 2, 4), (3, 3, 4), (2, 3, 5)):
        with pytest.raises(ValueError, match=r'\(C, K, D\) = \(2, 3, 4\), the model'):
            ClassQueue(*size).load_state_dict(queue.state_dict(), strict=False)


def test_compiles_without_graph_break():
    """No Python loop over rows and no host sync: the tracer would stop at one."""
    queue, twin = ClassQueue(3, 4, 5), ClassQueue(3, 4, 5)
    write = torch.compile(queue.write, fullgraph=True, backend='aot_eager')
    for _ in range(3):
        batch = torch.randn(10, 5), torch.randint(3, (10,))
        write(*batch)
        twin.write(*batch)
    assert all(torch.equal(a, b) for a, b in zip(queue.state_dict().values(), twin.state_dict().values()))


def test_no_slots_store_nothing():
    queue = ClassQueue(2, 0, 3)
    queue.enqueue(torch.randn(4, 3), torch.tensor([0, 1, 1, 0]))
    assert queue.queue.shape == (2, 0, 3)
    assert queue.filled.tolist() == queue.ptr.tolist() == [0, 0]
    with pytest.raises(ValueError, match='width 4, but 3'):
        queue.enqueue(torch.randn(4, 4), torch.tensor([0, 1, 1, 0]))


@pytest.mark.parametrize('size', [(0, 1, 1), (1, -1, 1), (1, 1, -2), (1, 1.5, 1)])
def test_bad_sizes_are_named(size):
    with pytest.raises(ValueError, match=r'must be an integer of at least [01], got'):
        ClassQueue(*size)


def test_bad_rows_are_named():
    queue = ClassQueue(2, 3, 4)
    with pytest.raises(ValueError, match='width 5, but 4'):
        queue.enqueue(torch.zeros(2, 5), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r'\[0, 2\)'):
        queue.enqueue(torch.zeros(2, 4), torch.tensor([0, 2]))
