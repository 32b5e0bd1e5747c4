"""The commands, called through ``main(argv)``, from a teacher to a tested student."""

import importlib.util
import json
from pathlib import Path

import mmengine
import mmpretrain
import pytest
import torch
from mmengine.config import Config

from tests.helpers import equal

ROOT = Path(__file__).resolve().parents[2]
TEACHER = 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py'
STUDENT = 'configs/icckd/distill/icckd-kd_logits_resnet20_resnet8_1xb64_digits.py'
BASELINE = 'configs/icckd/baseline/ce_resnet8_1xb64_digits.py'
SMALL = ['train_dataloader.dataset.indices=128', 'val_dataloader.dataset.indices=40', 'test_dataloader.dataset.indices=40']


def command(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / 'tools' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


run_train, run_test = command('train'), command('test')


@pytest.fixture(scope='module', autouse=True)
def _in_the_repository():
    """The commands are run from the root of the repository, as README says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    """Two epochs of an ICC teacher, with the gate open so that the loss acts from the start."""
    folder = tmp_path_factory.mktemp('teacher')
    options = ['train_cfg.max_epochs=2', 'custom_hooks.0.loss.margin=-1.0', *SMALL]
    runner = run_train([TEACHER, '--work-dir', str(folder), '--cfg-options', *options])
    return folder / 'epoch_2.pth', runner


@pytest.fixture(scope='module')
def student(teacher, tmp_path_factory):
    folder = tmp_path_factory.mktemp('student')
    options = ['train_cfg.max_epochs=1', f'model.teacher_ckpt={teacher[0]}', *SMALL]
    runner = run_train([STUDENT, '--work-dir', str(folder), '--cfg-options', *options])
    return folder / 'epoch_1.pth', runner


def test_the_teacher_is_a_stock_classifier_for_mmpretrain(teacher):
    """get_model accepts the file unchanged: same weights, class names known."""
    path, runner = teacher
    model = mmpretrain.get_model(str(ROOT / TEACHER), pretrained=str(path), device='cpu')
    trained = {name: value.cpu() for name, value in runner.model.state_dict().items() if not name.startswith('icc_loss.')}
    assert equal(model.state_dict(), trained)
    assert set(torch.load(path, weights_only=True)['state_dict']) - set(trained) == {
        'icc_loss.queue.queue',
        'icc_loss.queue.ptr',
        'icc_loss.queue.filled',
    }
    image = torch.zeros(16, 16, 3, dtype=torch.uint8).numpy()
    (result,) = mmpretrain.ImageClassificationInferencer(model)(image)
    assert result['pred_class'] in '0123456789'


def test_the_student_has_learnt_from_exactly_that_teacher(teacher, student):
    """mmrazor takes the file as teacher_ckpt without conversion, and the teacher is bit-identical afterwards."""
    weights = {name: value for name, value in teacher[1].model.state_dict().items() if not name.startswith('icc_loss.')}
    algorithm = student[1].model
    assert equal(algorithm.teacher.state_dict(), weights)
    losses = student[1].message_hub.get_scalar('train/distill.loss_kl').data[0]
    assert losses[-1] < losses[0]
    assert torch.load(student[0], weights_only=True)['meta']['epoch'] == 1


def test_the_test_command_gives_the_accuracy_of_the_log(teacher, student, tmp_path):
    for config, (path, runner) in ((TEACHER, teacher), (STUDENT, student)):
        out = tmp_path / 'metrics.json'
        metrics = run_test(
            [
                config,
                str(path),
                '--work-dir',
                str(tmp_path),
                '--out',
                str(out),
                '--out-item',
                'metrics',
                '--cfg-options',
                *SMALL,
            ]
        )
        logged = runner.message_hub.get_scalar('val/accuracy/top1').current()
        assert metrics['accuracy/top1'] == pytest.approx(logged, abs=1e-4)
        assert json.loads(out.read_text()) == metrics


@pytest.mark.parametrize('config', [TEACHER, STUDENT])
def test_augmented_tests_work_with_hooks_that_look_at_the_model(config, teacher, student, tmp_path):
    """The scores of an image and its mirror image are averaged, by hand and by the command."""
    path = (teacher if config == TEACHER else student)[0]
    cfg = Config.fromfile(config)
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), dict(type='icckd_mm.PredictedFeaturesHook')]
    cfg.dump(tmp_path / 'plain.py')
    cfg.test_dataloader.dataset.pipeline.insert(0, dict(type='RandomFlip', prob=1.0))
    cfg.dump(tmp_path / 'mirrored.py')

    def predictions(config, *flags):
        out = str(tmp_path / 'pred.pkl')
        run_test([str(config), str(path), *flags, '--work-dir', str(tmp_path), '--out', out, '--cfg-options', *SMALL])
        return mmengine.load(out)

    plain, mirrored = predictions(tmp_path / 'plain.py'), predictions(tmp_path / 'mirrored.py')
    averaged = predictions(tmp_path / 'plain.py', '--tta')
    for one, mirror, both in zip(plain, mirrored, averaged):
        torch.testing.assert_close(both['pred_score'], (one['pred_score'] + mirror['pred_score']) / 2)
    assert averaged[0]['features'].shape == plain[0]['features'].shape


def test_resume_goes_on_where_the_teacher_stopped(teacher, tmp_path):
    options = ['train_cfg.max_epochs=3', 'custom_hooks.0.loss.margin=-1.0', SMALL[0]]
    runner = run_train(
        [TEACHER, '--work-dir', str(tmp_path), '--resume', str(teacher[0]), '--no-validate', '--cfg-options', *options]
    )
    assert runner.iter == 6
    assert len(runner.message_hub.get_scalar('train/loss_icc').data[0]) == 6
    again = run_train(
        [
            TEACHER,
            '--work-dir',
            str(tmp_path),
            '--resume',
            '--no-validate',
            '--cfg-options',
            'train_cfg.max_epochs=4',
            *options[1:],
        ]
    )
    assert again.iter == 8


def test_seed_is_that_of_the_config(tmp_path):
    options = ['--no-validate', '--cfg-options', 'train_cfg.max_epochs=1', 'train_dataloader.dataset.indices=64']
    runs = [run_train([BASELINE, '--work-dir', str(tmp_path / str(seed)), '--seed', str(seed), *options]) for seed in (3, 3, 4)]
    assert [run.seed for run in runs] == [3, 3, 4]
    first, again, other = (run.model.state_dict() for run in runs)
    assert equal(first, again)
    assert not equal(first, other)


def test_default_work_dir_and_loader_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    runner = run_train(
        [BASELINE, '--no-validate', '--cfg-options', 'train_cfg.max_epochs=1', 'train_dataloader.dataset.indices=64']
    )
    assert (tmp_path / 'work_dirs/ce_resnet8_1xb64_digits/epoch_1.pth').is_file()
    assert runner.train_dataloader.collate_fn.func.__name__ == 'default_collate'
    assert not runner.train_dataloader.persistent_workers


@pytest.mark.slow
def test_the_demo_ends_with_table_and_figure(tmp_path, monkeypatch, capsys):
    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    command('demo')(['--epochs', '1'])
    out = capsys.readouterr().out
    assert '| student of the ICC teacher |' in out
    assert 'proves nothing' in out
    assert (tmp_path / 'work_dirs/demo/feature_spaces.png').stat().st_size > 20_000


def test_resume_takes_the_newest_whole_checkpoint_and_says_so(teacher, tmp_path, capsys):
    """Reliability test 15: the newest file is cut in half, ``last_checkpoint`` names it."""
    folder = tmp_path / 'run'
    options = ['custom_hooks.0.loss.margin=-1.0', 'default_hooks.checkpoint.max_keep_ckpts=2', SMALL[0]]
    command = [TEACHER, '--work-dir', str(folder), '--resume', '--no-validate', '--cfg-options', *options]
    first = run_train([*command, 'train_cfg.max_epochs=2'])
    assert 'there is no checkpoint in' in capsys.readouterr().out
    newest = folder / 'epoch_2.pth'
    newest.write_bytes(newest.read_bytes()[:5000])
    again = run_train([*command, 'train_cfg.max_epochs=2'])
    said = capsys.readouterr().out
    assert f'warning: {newest} is skipped' in said
    assert f'resuming from {folder / "epoch_1.pth"}' in said
    assert equal(first.model.state_dict(), again.model.state_dict())


def test_the_device_loader_is_one_flag(tmp_path):
    """The same images in the same order; teacher with two views, student with one."""
    options = ['--no-validate', '--cfg-options', 'train_cfg.max_epochs=1', 'train_dataloader.dataset.indices=128']
    for config, views in ((TEACHER, 2), (BASELINE, 1)):
        runner = run_train([config, '--device-loader', '--work-dir', str(tmp_path / str(views)), *options])
        assert type(runner.train_dataloader).__name__ == 'DeviceLoader'
        assert runner.train_dataloader.pipeline.views == views
        assert runner.iter == 2
        loss = runner.message_hub.get_scalar('train/loss').data[0]
        assert all(0 < value < 5 for value in loss)
    again = run_train([BASELINE, '--device-loader', '--fast', '--work-dir', str(tmp_path / 'fast'), '--no-validate'])
    assert again.train_dataloader.batch_size == 4
