"""From a run to a folder for a stranger."""

import json
import subprocess
import sys

import mmpretrain
import pytest
import torch
import yaml

from icckd_mm.compat.config_text import parse_config_text
from icckd_mm.zoo.publish import publish
from icckd_mm.zoo.verify import verify
from tests.helpers import CONV, ICC, NORM, config, equal, train


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    folder = tmp_path_factory.mktemp('teacher')
    runner, _ = train(folder, validate=True, hooks=[ICC, dict(type='EMAHook', momentum=0.5)])
    return folder, runner


@pytest.fixture(scope='module')
def student(teacher, tmp_path_factory):
    """A real distillation by mmrazor from the teacher above."""
    folder = tmp_path_factory.mktemp('student')
    logits = dict(logits=dict(type='ModuleOutputs', source='head.fc'))
    model = dict(
        _scope_='mmrazor',
        type='SingleTeacherDistill',
        architecture=dict(_scope_='mmpretrain', **CONV),
        teacher=dict(_scope_='mmpretrain', **CONV),
        teacher_ckpt=str(teacher[0] / 'epoch_1.pth'),
        data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', **NORM),
        distiller=dict(
            type='ConfigurableDistiller',
            student_recorders=logits,
            teacher_recorders=logits,
            distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4, reduction='batchmean')),
            loss_forward_mappings=dict(
                loss_kl=dict(
                    preds_S=dict(recorder='logits', from_student=True), preds_T=dict(recorder='logits', from_student=False)
                )
            ),
        ),
    )
    val_cfg = dict(type='mmrazor.SingleTeacherDistillValLoop')
    runner, _ = train(folder, model, views=1, hooks=[], validate=True, val_cfg=val_cfg)
    return folder, runner


def test_the_student_alone_is_a_classifier_for_anybody(student, tmp_path):
    """Same logits to the bit, no teacher, a config without base, hash in the name, small enough."""
    out = tmp_path / 'entry'
    checks = publish(student[0], out, name='tiny')
    assert [passed for _, passed, _ in checks] == [True] * 4
    (weights,) = out.glob('tiny_*-????????.pth')
    stored = torch.load(weights, weights_only=True)
    assert sorted(stored) == ['meta', 'state_dict']
    assert equal(stored['state_dict'], student[1].model.student.state_dict())
    model = mmpretrain.get_model(str(out / 'tiny.py'), pretrained=str(weights), device='cpu')
    images = torch.randn(3, 3, 8, 8)
    assert torch.equal(model(images), student[1].model.student.eval()(images))
    assert '_base_' not in (out / 'tiny.py').read_text()
    (entry,) = yaml.safe_load((out / 'metafile.yml').read_text())['Models']
    assert entry['Metadata']['Parameters'] == sum(p.numel() for p in model.parameters())
    assert entry['Metadata']['Teacher']['Backbone']['depth'] == 8
    logged = student[1].message_hub.get_scalar('val/accuracy/top1').current()
    assert entry['Results'][0]['Metrics'] == {'accuracy/top1': pytest.approx(logged, abs=0.01)}


def test_a_teacher_is_published_without_its_training_aids_and_with_its_average(teacher, tmp_path):
    plain, average = tmp_path / 'plain', tmp_path / 'average'
    publish(teacher[0], plain)
    publish(teacher[0], average, ema=True)
    first, second = (torch.load(next(out.glob('*.pth')), weights_only=True)['state_dict'] for out in (plain, average))
    assert not [name for name in first if name.startswith('icc_loss')]
    assert first.keys() == second.keys()
    assert not equal(first, second)


def test_a_loss_with_buffers_stays_behind(tmp_path):
    """An MCMI teacher keeps class means in its head; a stranger gets a plain head."""
    model = {**CONV, 'head': {**CONV['head'], 'loss': dict(type='icckd_mm.MCMILoss', num_classes=10)}}
    train(tmp_path / 'run', model, views=1, hooks=[], validate=True)
    publish(tmp_path / 'run', tmp_path / 'out', name='tiny')
    assert "loss=dict(type='CrossEntropyLoss')" in (tmp_path / 'out/tiny.py').read_text()


def test_the_same_checkpoint_gives_the_same_bytes(student, tmp_path):
    for name in ('a', 'b'):
        publish(student[0] / 'epoch_1.pth', tmp_path / name, name='tiny')
    (first,), (second,) = (list((tmp_path / name).glob('*.pth')) for name in ('a', 'b'))
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_a_damaged_entry_fails_its_check(student, tmp_path):
    publish(student[0], tmp_path / 'entry')
    (weights,) = (tmp_path / 'entry').glob('*.pth')
    weights.write_bytes(weights.read_bytes()[:-7] + b'changed')
    (what, passed, detail) = verify(tmp_path / 'entry')[-1]
    assert (what, passed) == ('hash', False)
    assert 'changed or damaged' in detail


def test_an_entry_is_never_overwritten_without_force(student, tmp_path):
    publish(student[0], tmp_path / 'entry')
    before = sorted(file.name for file in (tmp_path / 'entry').iterdir())
    with pytest.raises(ValueError, match='exists; --force'):
        publish(student[0], tmp_path / 'entry', name='other')
    assert sorted(file.name for file in (tmp_path / 'entry').iterdir()) == before
    publish(student[0], tmp_path / 'entry', name='other', force=True)
    assert (tmp_path / 'entry' / 'other.py').is_file()
    assert [path.name for path in tmp_path.iterdir()] == ['entry']


def test_bad_runs_are_named_and_leave_nothing(student, tmp_path):
    nothing = tmp_path / 'nothing'
    nothing.mkdir()
    weights_only = tmp_path / 'weights.pth'
    torch.save({'state_dict': {}}, weights_only)
    out = tmp_path / 'out'
    for run, options, message in (
        (nothing, {}, 'has no last_checkpoint'),
        (tmp_path / 'nowhere', {}, 'neither a checkpoint nor a work dir'),
        (weights_only, {}, 'does not hold the config'),
        (student[0], dict(ema=True), 'has no averaged weights'),
        (student[0], dict(formats=['pth', 'tflite']), r"\['tflite'\] are unknown"),
    ):
        with pytest.raises(ValueError, match=message):
            publish(run, out, **options)
        assert not out.exists()


def test_config_and_weights_that_do_not_belong_together_are_refused(student, tmp_path):
    checkpoint = torch.load(student[0] / 'epoch_1.pth', weights_only=True)
    checkpoint['state_dict'].pop('architecture.head.fc.bias')
    torch.save(checkpoint, tmp_path / 'bad.pth')
    with pytest.raises(ValueError, match='do not belong together'):
        publish(tmp_path / 'bad.pth', tmp_path / 'out')
    assert [path.name for path in tmp_path.iterdir()] == ['bad.pth']


def test_the_stored_config_is_read_without_running_it(tmp_path):
    """A checkpoint may come from anybody, and mmengine would execute its config."""
    cfg = config(tmp_path, CONV, validate=True)
    assert parse_config_text(cfg.pretty_text).to_dict() == json.loads(json.dumps(cfg.to_dict()), object_hook=dict) or (
        parse_config_text(cfg.pretty_text).pretty_text == cfg.pretty_text
    )
    marker = tmp_path / 'marker'
    for text in (
        f"open({str(marker)!r}, 'w')",
        f"a = open({str(marker)!r}, 'w')",
        f"a = dict(b=__import__('os').system('touch {marker}'))",
        'import os',
        'a = dict(**b)',
        'a = [x for x in (1,)]',
        'a = (',
    ):
        with pytest.raises(ValueError, match='stored in the checkpoint'):
            parse_config_text(text)
    assert not marker.exists()


@pytest.mark.timeout(120)
def test_the_commands_work_in_a_fresh_process(student, tmp_path):
    out = tmp_path / 'entry'
    for command in (['publish.py', str(student[0]), '--out', str(out)], ['verify.py', str(out)]):
        done = subprocess.run(
            [sys.executable, f'tools/model_converters/{command[0]}', *command[1:]], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-1500:]
    assert 'ok     prediction' in done.stdout
    again = subprocess.run(
        [sys.executable, 'tools/model_converters/publish.py', str(student[0]), '--out', str(out)],
        capture_output=True,
        text=True,
    )
    assert again.returncode == 2
    assert again.stderr.strip() == f'error: {out} exists; --force replaces it'
