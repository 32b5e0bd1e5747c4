"""From a run to a folder to publish."""

import json
import resource
from pathlib import Path

import mmpretrain
import pytest
import torch
import yaml

from icckd_mm.compat.checkpoints.config_text import parse_config_text
from icckd_mm.plain_text import in_markdown
from icckd_mm.zoo.card.method import method
from icckd_mm.zoo.entry_files import write_entry
from icckd_mm.zoo.network import take_network
from icckd_mm.zoo.publish import publish
from icckd_mm.zoo.standalone_config import standalone_config
from icckd_mm.zoo.training_log import logged_metrics
from tests.helpers import CONV, NORM, config, equal, train
from tests.processes import run_script

COMMAND = Path(__file__).parents[2] / 'tools/model_converters/publish.py'


@pytest.fixture(scope='module')
def published(student, tmp_path_factory):
    """The student above, and the checks it passed."""
    out = tmp_path_factory.mktemp('zoo') / 'entry'
    return out, publish(student[0], out, name='tiny')


@pytest.fixture
def altered(student, tmp_path):
    """A copy of the student's checkpoint with something changed, in a folder without a log."""

    def alter(change):
        checkpoint = torch.load(student[0] / 'epoch_1.pth', weights_only=True)
        change(checkpoint)
        path = tmp_path / 'altered' / 'epoch_1.pth'
        path.parent.mkdir(exist_ok=True)
        torch.save(checkpoint, path)
        return path

    return alter


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_student_alone_is_a_classifier_for_anybody(student, published):
    """Reliability test 19: bit-identical logits, no teacher and no training in weights and config."""
    out, checks = published
    assert [passed for _, passed, _ in checks] == [True] * 5
    (weights,) = out.glob('tiny_*-????????.pth')
    stored = torch.load(weights, weights_only=True)
    assert sorted(stored) == ['meta', 'state_dict']
    assert equal(stored['state_dict'], student[1].model.student.state_dict())
    model = mmpretrain.get_model(str(out / 'tiny.py'), pretrained=str(weights), device='cpu')
    images = torch.randn(3, 3, 8, 8)
    assert torch.equal(model(images), student[1].model.student.eval()(images))
    assert model.data_preprocessor.mean.flatten().tolist() == NORM['mean']  # the distillation's own, at the algorithm
    plain = (out / 'tiny.py').read_text()
    for word in ('_base_', 'train_', 'optim', 'teacher', 'mmrazor', 'hooks'):
        assert word not in plain


def test_the_papers_say_what_the_run_logged(student, published):
    out, _ = published
    (entry,) = yaml.safe_load((out / 'metafile.yml').read_text())['Models']
    stored = torch.load(out / entry['Weights'], weights_only=True)['state_dict']
    buffers = ('running_mean', 'running_var', 'num_batches_tracked')
    assert entry['Metadata']['Parameters'] == sum(v.numel() for name, v in stored.items() if not name.endswith(buffers))
    # the convolutions of an 8x8 image, counted by hand: 3x3 from 3 to 4 channels come first, at 64 places
    assert entry['Metadata']['FLOPs'] > 64 * 27 * 4
    assert entry['Metadata']['Seed'] == 0
    assert entry['Metadata']['Epochs'] == 1
    assert entry['Metadata']['Teacher']['Backbone']['depth'] == 8
    assert entry['Metadata']['Teacher']['Checkpoint'].endswith('/epoch_1.pth')
    assert entry['Metadata']['Teacher']['Checkpoint'].count('/') == 1  # no folder of this machine
    logged = student[1].message_hub.get_scalar('val/accuracy/top1').current()
    assert entry['Results'] == [
        {'Task': 'Image Classification', 'Dataset': 'Digits', 'Metrics': {'accuracy/top1': pytest.approx(logged, abs=0.01)}}
    ]
    (log,) = student[0].glob('*/vis_data/scalars.json')
    assert (out / entry['Training Log']).read_bytes() == log.read_bytes()
    card = (out / 'README.md').read_text()
    assert f'| accuracy/top1 | {logged:.2f} |' in card
    assert f'Distilled from {in_markdown(entry["Metadata"]["Teacher"]["Checkpoint"])} by KLDivergence.' in card
    assert 'Intra-Class' not in card  # nothing is known of how its teacher was trained
    assert str(student[0].parent) not in ''.join(path.read_text() for path in out.iterdir() if path.suffix != '.pth')


def test_the_trained_weights_are_taken_and_the_average_when_asked(teacher):
    """mmengine stores the average as ``state_dict`` and the trained weights under another key; both without ``icc_loss``."""
    folder, runner = teacher
    (hook,) = [hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook']
    for ema, module in ((False, runner.model), (True, hook.ema_model.module)):
        network = take_network(folder, ema)
        expected = {name: value for name, value in module.state_dict().items() if not name.startswith('icc_loss')}
        assert equal(network.state, expected)
    assert not equal(take_network(folder).state, take_network(folder, ema=True).state)
    assert logged_metrics(take_network(folder))[0] == {}  # the average was validated, not these
    assert list(logged_metrics(take_network(folder, ema=True))[0]) == ['accuracy/top1']


def test_a_teacher_is_published_with_its_average(teacher, tmp_path):
    (tmp_path / 'out').mkdir()
    write_entry(take_network(teacher[0], ema=True), 'tiny', tmp_path / 'out')
    (entry,) = yaml.safe_load((tmp_path / 'out/metafile.yml').read_text())['Models']
    assert entry['Metadata']['Averaged Weights'] is True
    assert 'Teacher' not in entry['Metadata']
    card = (tmp_path / 'out/README.md').read_text()
    assert 'Trained with the intra-class contrastive loss (' in card
    assert 'https://arxiv.org/abs/2509.22053' in card


@pytest.mark.parametrize(
    'hooks', [None, 'EMAHook', [dict(type='EMAHook')], [1], [dict(type='x.IntraClassContrastHook', loss=1)]]
)
def test_a_card_names_no_method_that_the_run_did_not_use(teacher, hooks):
    """Whatever a stored config holds as hooks."""
    network = take_network(teacher[0])
    network.config.custom_hooks = hooks
    assert method(network) == ''


def test_a_loss_with_buffers_stays_behind(tmp_path):
    """An MCMI teacher keeps class means in its head; users get a plain head."""
    model = {**CONV, 'head': {**CONV['head'], 'loss': dict(type='icckd_mm.MCMILoss', num_classes=10)}}
    train(tmp_path / 'run', model, views=1, hooks=[], validate=True)
    (tmp_path / 'out').mkdir()
    write_entry(take_network(tmp_path / 'run'), 'tiny', tmp_path / 'out')
    assert "loss=dict(type='CrossEntropyLoss')" in (tmp_path / 'out/tiny.py').read_text()


def test_the_same_checkpoint_gives_the_same_bytes(student, tmp_path):
    """Reliability test 19: every file, wherever it is written."""
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        write_entry(take_network(student[0] / 'epoch_1.pth'), 'tiny', tmp_path / name)
    first, second = files(tmp_path / 'a'), files(tmp_path / 'b')
    assert len(first) == 5
    assert first == second


def test_an_entry_is_never_overwritten_without_force(student, published, tmp_path):
    out, _ = published
    before = files(out)
    with pytest.raises(ValueError, match='exists; --force replaces it'):
        publish(student[0], out, name='other')
    foreign = tmp_path / 'letters'
    foreign.mkdir()
    (foreign / 'dear.txt').write_text('diary')
    with pytest.raises(ValueError, match='was not written by publish'):
        publish(student[0], foreign, force=True)
    assert files(foreign) == {'dear.txt': b'diary'}
    assert files(out) == before


def test_force_replaces_an_entry_and_only_a_good_one_does(student, published, altered, tmp_path):
    out = tmp_path / 'zoo' / 'entry'
    out.mkdir(parents=True)
    for name, content in files(published[0]).items():
        (out / name).write_bytes(content)
    before = files(out)
    bad = altered(lambda checkpoint: checkpoint['state_dict'].pop('architecture.head.fc.bias'))
    with pytest.raises(ValueError, match='do not belong together'):
        publish(bad, out, force=True)
    assert files(out) == before
    publish(student[0], out, name='other', force=True, metrics=False)
    assert sorted(path.suffix for path in out.glob('other*')) == ['.json', '.pth', '.py']
    assert [path.name for path in out.parent.iterdir()] == ['entry']


def test_an_entry_that_fails_its_checks_is_not_left_behind(student, tmp_path):
    """The log claims what the published network does not reach."""
    work = tmp_path / 'run'
    (work / '20200101_000000' / 'vis_data').mkdir(parents=True)
    row = {'accuracy/top1': 99.0, 'time': 0.1, 'step': 1}
    (work / '20200101_000000' / 'vis_data' / 'scalars.json').write_text(json.dumps(row))
    (work / 'epoch_1.pth').write_bytes((student[0] / 'epoch_1.pth').read_bytes())
    with pytest.raises(ValueError, match=r'nothing was written: metrics: .*measured accuracy/top1 .* says accuracy/top1 99'):
        publish(work / 'epoch_1.pth', tmp_path / 'new' / 'deep' / 'out')
    assert [path.name for path in tmp_path.iterdir()] == ['run']


class Evil:
    def __reduce__(self):
        return print, ('executed',)


def test_bad_runs_are_named_and_leave_nothing(student, altered, tmp_path, capfd):
    nothing = tmp_path / 'nothing'
    nothing.mkdir()
    weights_only = tmp_path / 'weights.pth'
    torch.save({'state_dict': {}}, weights_only)
    listed = tmp_path / 'list.pth'
    torch.save([1], listed)
    hostile = tmp_path / 'hostile.pth'
    torch.save({'meta': {}, 'state_dict': Evil()}, hostile)
    text = tmp_path / 'text.pth'
    text.write_text('no checkpoint')
    out = tmp_path / 'out'
    for run, options, message in (
        (nothing, {}, 'has no last_checkpoint'),
        (tmp_path / 'nowhere', {}, 'neither a checkpoint nor a work dir'),
        (weights_only, {}, 'does not hold the config'),
        (listed, {}, 'does not hold the config'),
        (hostile, {}, 'could run code'),
        (text, {}, 'damaged or not a PyTorch checkpoint'),
        (student[0], dict(ema=True), 'has no averaged weights'),
        (student[0], dict(formats=['pth', 'tflite']), r"\['tflite'\] are unknown"),
        (student[0], dict(name='../up'), 'becomes a file name'),
        (student[0], dict(with_preprocess=True), 'needs ONNX'),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            publish(run, out, **options)
        assert '\n' not in str(caught.value)
        assert not out.exists()
    assert 'executed' not in capfd.readouterr().out


def test_a_run_that_has_not_finished_is_refused_unless_wanted(altered, tmp_path):
    def longer(checkpoint):
        checkpoint['meta']['cfg'] = checkpoint['meta']['cfg'].replace('max_epochs=1', 'max_epochs=3')

    path = altered(longer)
    with pytest.raises(ValueError, match=r'epoch 1 of 3, the training has not finished; .* --allow-unfinished'):
        publish(path, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
    assert take_network(path, allow_unfinished=True).meta['epoch'] == 1


def test_the_card_of_a_student_whose_config_names_no_file_of_its_teacher(student):
    """Teachers can be built and loaded in code."""
    network = take_network(student[0])
    network.config.model.teacher_ckpt = None
    assert method(network) == 'Distilled from a teacher by KLDivergence.'


def test_a_checkpoint_without_a_student_is_refused(altered, tmp_path):
    def bare(checkpoint):
        state = checkpoint['state_dict']
        for name in [name for name in state if name.startswith('architecture.')]:
            del state[name]

    with pytest.raises(ValueError, match='holds no classifier: neither a student'):
        publish(altered(bare), tmp_path / 'out')


def test_config_and_weights_that_do_not_belong_together_are_refused(altered, tmp_path):
    path = altered(lambda checkpoint: checkpoint['state_dict'].pop('architecture.head.fc.bias'))
    with pytest.raises(ValueError, match=r'do not belong together: .*head\.fc\.bias') as caught:
        publish(path, tmp_path / 'out')
    assert '\n' not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ['altered']


def test_a_network_that_nobody_knows_is_refused(altered, tmp_path):
    def unknown(checkpoint):
        checkpoint['meta']['cfg'] = checkpoint['meta']['cfg'].replace('icckd_mm.CIFARResNet', 'OwnResNet')

    with pytest.raises(ValueError, match="'OwnResNet' is not a registered model") as caught:
        publish(altered(unknown), tmp_path / 'out')
    assert '\n' not in str(caught.value)


def test_a_full_disk_ends_in_one_line_and_leaves_nothing(student, tmp_path):
    """The operating system refuses to write more than 8 KiB into a file."""

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))

    status, _, error = run_script(COMMAND, student[0], '--out', f'{tmp_path}/new/entry', before=full)
    assert status != 0
    assert error.startswith('error: ')
    assert 'File too large' in error
    assert error.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def test_images_of_one_stored_size_are_resized_for_users_and_wrappers_go(student):
    """The digits are stored at 8 pixels here; mmpretrain's inferencer looks for the pipeline at the data set itself."""
    network = take_network(student[0])
    resize = {'type': 'Resize', 'scale': (8, 8)}
    assert standalone_config(network).test_dataloader.dataset.pipeline[0] == resize
    loader = network.config.test_dataloader
    loader.dataset = dict(type='icckd_mm.ClassMap', classes=[0, 1], dataset=loader.dataset)
    plain = standalone_config(network)
    assert plain.test_dataloader.dataset.type == 'icckd_mm.Digits'
    assert 'test_evaluator' not in plain
    loader.dataset = dict(type='ImageNet', pipeline=[dict(type='LoadImageFromFile'), dict(type='CenterCrop', crop_size=5)])
    assert standalone_config(network).test_dataloader.dataset.pipeline == loader.dataset.pipeline  # has a size of its own


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


def test_the_command_prints_what_was_checked(student, tmp_path):
    out = tmp_path / 'entry'
    status, said, error = run_script(COMMAND, student[0], '--out', out, '--no-metrics')
    assert status == 0, error[-1500:]
    assert said.splitlines()[-1] == f'published to {out}'
    assert 'ok      prediction' in said
    assert 'metrics' not in said
