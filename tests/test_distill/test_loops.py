"""One validation for the hooks, two figures for the log."""

import copy

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook

from tests.helpers import build, equal, state
from tests.test_distill.cases import KL, LOGITS, algorithm, classifier, weights

EMA = dict(type='EMAHook', momentum=0.5)
OURS, THEIRS = dict(type='icckd_mm.DistillValLoop'), dict(type='mmrazor.SingleTeacherDistillValLoop')
SELF = dict(
    _scope_='mmrazor',
    type='SelfDistill',
    architecture=classifier(),
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor'),
    distiller={**copy.deepcopy(KL), 'type': 'BYOTDistiller', 'teacher_recorders': LOGITS},
)


class Watch(Hook):
    """Weights of the student around each validation, and what hooks are told."""

    priority = 'LOWEST'

    def __init__(self):
        self.before, self.after, self.metrics, self.calls = [], [], [], 0

    def after_train_epoch(self, runner):
        self.before.append(state(runner.model.architecture))

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        self.calls += 1

    def after_val_epoch(self, runner, metrics=None):
        self.metrics.append(metrics)

    def after_val(self, runner):
        self.after.append(state(runner.model.architecture))


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'teacher.pth')


def run(folder, model, loop=OURS, hooks=(EMA,), epochs=2, **options):
    watch = Watch()
    runner = build(folder, model, hooks=[*hooks, watch], views=1, validate=True, val_cfg=loop, epochs=epochs, **options)
    runner.train()
    return runner, watch


@pytest.mark.parametrize(('loop', 'right'), [(THEIRS, False), (OURS, True)])
def test_ema_gives_the_student_its_weights_back(tmp_path, teacher, loop, right):
    """mmrazor's loop swaps three times."""
    _, watch = run(tmp_path, algorithm(teacher), loop)
    assert len(watch.before) == 2
    assert all(equal(*pair) == right for pair in zip(watch.before, watch.after))


def test_both_are_reported_and_right(tmp_path, teacher):
    runner, watch = run(tmp_path, algorithm(teacher), hooks=())
    assert all(list(metrics) == ['accuracy/top1', 'teacher.accuracy/top1'] for metrics in watch.metrics)
    assert runner.message_hub.get_scalar('val/teacher.accuracy/top1').current() == watch.metrics[0]['teacher.accuracy/top1']
    for model, name in ((runner.model.student, 'accuracy/top1'), (runner.model.teacher, 'teacher.accuracy/top1')):
        right, total = 0, 0
        for batch in runner.val_dataloader:
            data = runner.model.data_preprocessor(batch, False)
            labels = torch.cat([sample.gt_label for sample in data['data_samples']])
            right += int((model.eval()(data['inputs']).argmax(1) == labels).sum())
            total += len(labels)
        assert watch.metrics[-1][name] == pytest.approx(100 * right / total)
    assert watch.calls == 2 * len(runner.val_dataloader)  # hooks see one validation an epoch


@pytest.mark.parametrize(('cache', 'times'), [(True, 1), (False, 2)])
def test_the_teacher_is_measured_once_unless_told_otherwise(tmp_path, teacher, monkeypatch, cache, times):
    evaluations = []
    evaluate = Evaluator.evaluate
    monkeypatch.setattr(Evaluator, 'evaluate', lambda self, size: evaluations.append(size) or evaluate(self, size))
    run(tmp_path, algorithm(teacher), {**OURS, 'cache_teacher': cache}, hooks=())
    assert len(evaluations) == 2 + times


def test_measuring_the_teacher_draws_no_random_number(tmp_path, teacher):
    runner, _ = run(tmp_path, algorithm(teacher), {**OURS, 'cache_teacher': False}, hooks=(), epochs=1)
    before = torch.get_rng_state()
    runner._val_loop.teacher_metrics()
    assert torch.equal(torch.get_rng_state(), before)


def test_save_best_looks_at_the_student(tmp_path, teacher):
    hooks = dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1, save_best='auto'))
    _, watch = run(tmp_path, algorithm(teacher), default_hooks=hooks)
    best = max(range(2), key=lambda epoch: watch.metrics[epoch]['accuracy/top1'])
    assert [path.name for path in tmp_path.glob('best_*')] == [f'best_accuracy_top1_epoch_{best + 1}.pth']


def test_self_distillation_keeps_the_names_that_save_best_needs(tmp_path):
    hooks = dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1, save_best='accuracy/top1'))
    with pytest.raises(KeyError, match='accuracy/top1'):
        run(tmp_path / 'a', copy.deepcopy(SELF), dict(type='mmrazor.SelfDistillValLoop'), default_hooks=hooks)
    _, watch = run(tmp_path / 'b', copy.deepcopy(SELF), default_hooks=hooks)
    assert [list(metrics) for metrics in watch.metrics] == [['accuracy/top1']] * 2
    assert equal(watch.before[1], watch.after[1])


def test_a_weak_teacher_ends_the_run_before_the_first_step(tmp_path, teacher):
    weak = dict(type='icckd_mm.TeacherAccuracyHook', min_accuracy=90)
    with pytest.raises(ValueError, match=r'the teacher has an accuracy of \d+\.\d\d %, min_accuracy is 90 %'):
        run(tmp_path / 'a', algorithm(teacher), hooks=(weak,))
    assert not list((tmp_path / 'a').glob('*.pth'))
    runner, _ = run(tmp_path / 'b', algorithm(teacher), hooks=(dict(weak, min_accuracy=0),), epochs=1, log_level='INFO')
    (log,) = (tmp_path / 'b').rglob('*.log')
    assert f'accuracy of the teacher: {runner._val_loop.cached["teacher.accuracy/top1"]:.2f} %' in log.read_text()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(loop=dict(type='ValLoop')), 'needs val_cfg=dict'),
        (dict(model=SELF), 'which gives nothing, because the model has no teacher'),
        (dict(val_evaluator=dict(type='Accuracy', topk=3)), r'which gives teacher.accuracy/top3'),
    ],
)
def test_the_accuracy_hook_says_what_it_needs(tmp_path, teacher, options, message):
    hook = dict(type='icckd_mm.TeacherAccuracyHook', min_accuracy=10)
    with pytest.raises(ValueError, match=message):
        run(tmp_path, copy.deepcopy(options.pop('model', algorithm(teacher))), hooks=(hook,), **options)


@pytest.mark.parametrize('value', [-1, 101, float('nan'), '90'])
def test_min_accuracy_is_a_percentage(value):
    from icckd_mm.distill.hooks import TeacherAccuracyHook

    with pytest.raises(ValueError, match=r'min_accuracy is a percentage in \[0, 100\]'):
        TeacherAccuracyHook(value)
