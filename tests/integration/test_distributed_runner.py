"""Real runners of mmengine in two gloo processes."""

import pytest

from tests.helpers import ICC, equal, state, train


def trained(work_dir, epochs, resume=False):
    """State of the model, with random crops drawn in each process, and the batch size that was agreed on."""
    runner, steps = train(work_dir, epochs=epochs, batch=4, launcher='pytorch', resume=resume)
    model = runner.model.module
    return state(model), [name for name, _ in model.named_parameters()], model.icc_loss.batch_size, len(steps)


def test_two_processes_resume_to_the_bit(processes, tmp_path):
    """Reliability test 10 on two processes: one and one epoch are two, for weights and queue of both ranks.

    Statistics of batch norm are of each process; the file has those of rank 0.
    """
    straight = processes.run(trained, tmp_path / 'straight', 2)
    processes.run(trained, tmp_path / 'resumed', 1)
    resumed = processes.run(trained, tmp_path / 'resumed', 2, True)
    for (first, learnt, size, steps), (second, _, _, after) in zip(straight, resumed):
        assert (size, steps, after) == (4, 8, 4)
        shared = [*learnt, *(name for name in first if name.startswith('icc_loss.'))]
        assert equal({name: first[name] for name in shared}, {name: second[name] for name in shared})
        assert equal({name: first[name] for name in shared}, {name: straight[0][0][name] for name in shared})
    assert equal(straight[0][0], resumed[0][0])
    assert int(straight[0][0]['icc_loss.queue.filled'].sum()) > 8


def test_an_odd_number_of_images_is_shared_evenly(processes, tmp_path):
    """DefaultSampler rounds up, so both take as many steps; 33 images give 17 to each, in batches of 4, 4, 4, 4 and 1."""
    for *_, steps in processes.run(uneven, tmp_path):
        assert steps == 5


def uneven(work_dir):
    _, steps = train(work_dir, batch=4, images=33, launcher='pytorch')
    return (len(steps),)


def viewed(work_dir, second_view):
    hook = {**ICC, 'second_view': second_view}
    views = 1 if second_view == 'bank' else 2
    runner, _ = train(work_dir, hooks=(hook,), views=views, epochs=2, batch=5, images=32, launcher='pytorch')
    return {name: value for name, value in state(runner.model.module).items() if 'running' not in name}


@pytest.mark.parametrize('second_view', ['no_grad', 'bank'])
def test_all_ranks_keep_the_same_weights_queue_and_bank(second_view, processes, tmp_path):
    """Batches of 5, 5, 5 and 1 on each; of batch norm only the statistics are a process's own."""
    first, second = processes.run(viewed, tmp_path, second_view)
    assert equal(first, second)
    assert int(first['icc_loss.queue.filled'].sum()) > 8
    if second_view == 'bank':
        assert first['icc_loss.bank.written'][:32].all()
