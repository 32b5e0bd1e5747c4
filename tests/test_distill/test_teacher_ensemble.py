"""Several teachers as one: what is joined, and a student that learns from it."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from tests.helpers import CONV, equal, train
from tests.test_distill.cases import KL, algorithm, classifier, weights

ROOT = Path(__file__).parents[2]
JOINED = copy.deepcopy(KL)
JOINED['teacher_recorders'] = dict(logits=dict(type='ModuleOutputs', source='logits'))


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('teachers')
    return [weights(folder / f'{seed}.pth', seed=seed) for seed in range(3)]


def config(files, **options):
    return dict(type='icckd_mm.TeacherEnsemble', teachers=[classifier() for _ in files], teacher_ckpts=files, **options)


def distillation(files, **options):
    model = algorithm(distiller=JOINED)
    model['teacher'] = config(files, **options)
    return model


def each(model, images):
    return [teacher(images, mode='tensor') for teacher in model.teachers]


def test_mean_and_weights(files):
    images = torch.randn(5, 3, 8, 8)
    model = MODELS.build(config(files)).eval()
    first, second, third = each(model, images)
    torch.testing.assert_close(model(images), (first + second + third) / 3)
    weighted = MODELS.build(config(files, how='weights', weights=[1, 3, 0])).eval()
    torch.testing.assert_close(weighted(images), 0.25 * first + 0.75 * second)


def test_best_is_the_teacher_that_knows_the_true_class_best(files):
    images, labels = torch.randn(9, 3, 8, 8), torch.arange(9)
    model = MODELS.build(config(files, how='best')).eval()
    seen = []
    model.logits.register_forward_hook(lambda module, inputs, output: seen.append(output))
    every = [logits.tolist() for logits in each(model, images)]
    model(images, [DataSample().set_gt_label(y) for y in labels], mode='loss')
    model(images)
    for row in range(9):
        probs = [torch.tensor(logits[row]).softmax(0) for logits in every]
        right = max(range(3), key=lambda t: float(probs[t][labels[row]]))
        surest = max(range(3), key=lambda t: float(probs[t].max()))
        assert seen[0][row].tolist() == every[right][row]
        assert seen[1][row].tolist() == every[surest][row]


def test_predictions_are_those_of_the_joined_logits(files):
    images = torch.randn(5, 3, 8, 8)
    model = MODELS.build(config(files)).eval()
    predicted = model(images, [DataSample() for _ in range(5)], mode='predict')
    expected = model(images).softmax(1)
    torch.testing.assert_close(torch.stack([sample.pred_score for sample in predicted]), expected)
    assert [int(sample.pred_label) for sample in predicted] == expected.argmax(1).tolist()


def test_a_student_learns_from_it_and_every_teacher_stays(files, tmp_path):
    loop = dict(type='icckd_mm.DistillValLoop')
    ema = dict(type='EMAHook')
    runner, _ = train(tmp_path, distillation(files), hooks=(ema,), views=1, validate=True, val_cfg=loop)
    for teacher, path in zip(runner.model.teacher.teachers, files):
        assert equal(teacher.state_dict(), torch.load(path)['state_dict'])
    assert not runner.model.teacher.training
    assert {key.split('.')[0] for key in torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']} == {
        'architecture'
    }
    metrics = runner._val_loop.cached
    images = [runner.model.data_preprocessor(batch, False) for batch in runner.val_dataloader]
    labels = torch.cat([sample.gt_label for data in images for sample in data['data_samples']])
    guesses = torch.cat([runner.model.teacher(data['inputs']).argmax(1) for data in images])
    assert metrics['teacher.accuracy/top1'] == pytest.approx(100 * (guesses == labels).float().mean().item(), abs=1e-3)


def test_the_loss_is_kl_to_the_joined_logits(files):
    model = MODELS.build(distillation(files))
    model.train()
    images, labels = torch.randn(6, 3, 8, 8), [DataSample().set_gt_label(i) for i in range(6)]
    student = copy.deepcopy(model.student)
    losses = model(images, labels, mode='loss')
    soft, own = model.teacher(images) / 4, student(images, mode='tensor') / 4
    expected = 16 * (soft.softmax(1) * (soft.log_softmax(1) - own.log_softmax(1))).sum() / 6
    torch.testing.assert_close(losses['distill.loss_kl'], expected)


def test_harmless_keys_are_named_in_ignore_keys(files, tmp_path):
    extra = weights(tmp_path / 'a.pth', change=lambda state: state.update({'projector.weight': torch.zeros(1)}))
    with pytest.raises(ValueError, match=r'surplus: projector.weight'):
        MODELS.build(config([*files, extra]))
    assert MODELS.build(config([*files, extra], ignore_keys=['projector.']))


def test_a_teacher_without_weights_is_refused_unless_meant(files):
    with pytest.raises(ValueError, match='the teacher has no weights'):
        MODELS.build(distillation([files[0], None]))
    model = MODELS.build({**distillation([files[0], None]), 'allow_random_teacher': True})
    model.init_weights()
    assert equal(model.teacher.teachers[0].state_dict(), torch.load(files[0])['state_dict'])
    assert any(key.startswith('teacher.') for key in model.state_dict())  # it is nowhere else


def twelve():
    model = copy.deepcopy(CONV)
    model['head']['num_classes'] = 12
    return model


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(teacher_ckpts=['one.pth']), 'got 3 teachers and 1 files'),
        (dict(teachers=[], teacher_ckpts=[]), 'got 0 teachers'),
        (dict(how='median'), "how must be one of mean, weights, best, got 'median'"),
        (dict(how='weights'), "weights need how='weights'"),
        (dict(weights=[1, 1, 1]), "weights need how='weights'"),
        (dict(how='weights', weights=[1, 1]), r'weights must be one number per teacher \(3\)'),
        (dict(how='weights', weights=[0, 0, 0]), 'one above 0'),
        (dict(how='weights', weights=[1, -1, 1]), r'weights\[1\] must be a finite number of at least 0, got -1'),
        (dict(teachers=[classifier(), classifier(), classifier(twelve())]), r'the teachers have \[10, 10, 12\] classes'),
    ],
)
def test_mistakes_are_named(files, options, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build({**config(files), **options})


def test_a_teacher_of_another_normalisation_is_refused(files, tmp_path):
    other = weights(tmp_path / 'x.pth', meta=dict(cfg='data_preprocessor = dict(mean=[1, 1, 1], std=[82, 82, 82])'))
    with pytest.raises(ValueError, match='says its checkpoint'):
        MODELS.build(distillation([*files, other]))


def test_the_example_trains(tmp_path, monkeypatch):
    from mmengine.runner import Runner

    monkeypatch.chdir(ROOT)
    (path,) = Path('configs/icckd/distill').glob('icckd-two-teachers_*_digits.py')
    cfg = Config.fromfile(path)
    teachers = [
        weights(tmp_path / f'{seed}.pth', model=teacher, seed=seed) for seed, teacher in enumerate(cfg.model.teacher.teachers)
    ]
    assert len(set(cfg.model.teacher.teacher_ckpts)) == 2
    cfg.merge_from_dict(
        {
            'model.teacher.teacher_ckpts': teachers,
            'work_dir': str(tmp_path),
            'train_cfg.max_epochs': 1,
            'train_dataloader.dataset.indices': 64,
            'val_dataloader.dataset.indices': 20,
            'train_dataloader.collate_fn': dict(type='default_collate'),
            'val_dataloader.collate_fn': dict(type='default_collate'),
            'log_level': 'WARNING',
            'experiment_name': path.stem,
        }
    )
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.message_hub.get_scalar('train/distill.loss_kl').current() > 0
    assert runner.message_hub.get_scalar('val/teacher.accuracy/top1').current() >= 0
