"""A wrong teacher is refused before training, a right one does not change."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from icckd_mm.config import launch
from icckd_mm.distill.records import read_record
from icckd_mm.engine.loading.config_differences import Difference, as_options
from tests.helpers import CONV, build, config, equal, state, train
from tests.test_distill.cases import DROPOUT, KL, LOGITS, algorithm, classifier, weights

PLAIN = dict(hooks=(), views=1)
WIDE = {**copy.deepcopy(CONV), 'backbone': dict(type='icckd_mm.CIFARResNet', depth=8, widths=(4, 4, 8, 12))}
WIDE['head']['in_channels'] = 12


def upstream(config):
    return MODELS.build({**config, 'type': 'SingleTeacherDistill'})


def rename(state):
    state['backbone.conv9.weight'] = state.pop('backbone.conv1.weight')


def test_mmrazor_trains_from_a_teacher_that_is_random_in_part_and_ours_names_the_keys(tmp_path):
    path = weights(tmp_path / 'a.pth', change=rename)
    config = algorithm(path)
    assert upstream(copy.deepcopy(config)).teacher is not None
    with pytest.raises(ValueError, match=r'missing: backbone.conv1.weight; surplus: backbone.conv9.weight'):
        MODELS.build(config)


def test_misshapen_keys_are_named_with_both_shapes_and_counted(tmp_path):
    path = weights(tmp_path / 'a.pth', model=WIDE)
    wide, narrow = (MODELS.build(classifier(m)).state_dict() for m in (WIDE, CONV))
    unlike = [key for key in narrow if wide[key].shape != narrow[key].shape]
    with pytest.raises(ValueError, match=rf' and {len(unlike) - 3} more$') as error:
        MODELS.build(algorithm(path))
    for key in unlike[:3]:
        assert f'{key} is {tuple(wide[key].shape)} in the file and {tuple(narrow[key].shape)} in the model' in str(error.value)
    assert 'give the config that it was trained with' in str(error.value)  # which the file does not tell


def test_a_weight_that_is_not_a_tensor_is_named(tmp_path):
    path = weights(tmp_path / 'a.pth', change=lambda state: state.update({'head.fc.bias': 3}))
    with pytest.raises(ValueError, match=r'shape: head\.fc\.bias is of type int in the file and \(10,\) in the model'):
        MODELS.build(algorithm(path))


def other_network(path, **change):
    """A checkpoint of a run whose network is CONV but for ``change`` in its backbone."""
    model = copy.deepcopy(CONV)
    model['backbone'].update(change)
    meta = dict(cfg=Config(dict(model=model)).pretty_text)
    return weights(path, model=model, meta=meta)


def test_a_file_of_another_network_is_named_with_the_setting_of_both_sides(tmp_path):
    """In one short line: the file's depth, the config's, and the option that gives the config the file's."""
    path = other_network(tmp_path / 'a.pth', depth=14)
    with pytest.raises(ValueError, match='does not fit') as error:
        MODELS.build(algorithm(path))
    text = str(error.value)
    assert 'does not fit model.teacher: backbone.depth is 14 in the file and 8 in the config' in text
    assert 'the file is of another network' in text
    assert '--cfg-options model.teacher.backbone.depth=14' in text
    assert 'surplus: backbone.layer1.1.conv1.weight, ' in text
    assert len(text.replace(path, '')) < 500


def test_settings_that_change_no_weight_are_not_named(tmp_path):
    path = other_network(tmp_path / 'a.pth', depth=14, init_cfg=[dict(type='Constant', layer='Conv2d', val=0.1)])
    with pytest.raises(ValueError, match='depth is 14') as error:
        MODELS.build(algorithm(path))
    assert 'init_cfg' not in str(error.value)


def test_a_value_from_the_file_is_offered_as_an_option_only_if_it_is_safe_in_a_shell():
    found = [Difference('backbone.stem', '$(touch x)', 'conv')]
    assert as_options(found, 'model') == ''
    assert as_options([Difference('backbone.depth', 14, 8)], 'model') == '--cfg-options model.backbone.depth=14'


def test_it_is_refused_before_the_log_of_the_run_begins(tmp_path):
    """mmengine writes some 200 lines on environment and config before it builds a model."""
    path = other_network(tmp_path / 'a.pth', depth=14)
    cfg = config(tmp_path / 'work', algorithm(path), hooks=(), views=1, launcher='none')
    with pytest.raises(ValueError, match=r'backbone\.depth is 14 in the file and 8 in the config'):
        launch.train(cfg)
    assert not (tmp_path / 'work').exists()


def test_the_queue_of_an_icc_teacher_is_ignored_and_more_by_name(tmp_path):
    def extra(state):
        state['icc_loss.queue.ptr'] = torch.zeros(10)
        state['projector.weight'] = torch.zeros(1)

    path = weights(tmp_path / 'a.pth', change=extra)
    with pytest.raises(ValueError, match=r'surplus: projector.weight$'):
        MODELS.build(algorithm(path))
    model = MODELS.build(algorithm(path, ignore_keys=['projector.']))
    assert equal(
        model.teacher.state_dict(), {k: v for k, v in torch.load(path)['state_dict'].items() if k in model.teacher.state_dict()}
    )


@pytest.mark.parametrize('wrap', ['parallel', 'compiled', 'both', 'compiled part'])
def test_a_teacher_saved_from_a_wrapped_model_is_taken(tmp_path, wrap):
    path = weights(tmp_path / 'plain.pth')
    network = MODELS.build(classifier())
    network.load_state_dict(torch.load(path)['state_dict'])
    if wrap == 'compiled part':
        network.backbone = torch.compile(network.backbone)
    if wrap in ('compiled', 'both'):
        network = torch.compile(network)
    if wrap in ('parallel', 'both'):
        network = torch.nn.DataParallel(network)
    torch.save(network.state_dict(), tmp_path / 'wrapped.pth')
    assert any(name.startswith(('module.', '_orig_mod.', 'backbone._orig_mod.')) for name in network.state_dict())
    teacher = MODELS.build(algorithm(str(tmp_path / 'wrapped.pth'))).teacher
    assert equal(teacher.state_dict(), torch.load(path)['state_dict'])


def test_a_whole_distillation_is_no_teacher(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict={'architecture.head.fc.bias': torch.zeros(10)}), path)
    with pytest.raises(ValueError, match='extract its student first'):
        MODELS.build(algorithm(str(path)))


def test_a_teacher_without_weights_is_refused_unless_meant():
    with pytest.raises(ValueError, match='the teacher has no weights: set teacher_ckpt'):
        MODELS.build(algorithm())
    model = MODELS.build(algorithm(allow_random_teacher=True))
    assert any(key.startswith('teacher.') for key in model.state_dict())  # it is nowhere else


def test_the_student_starts_from_a_plain_classifier(tmp_path):
    teacher, student = weights(tmp_path / 't.pth'), weights(tmp_path / 's.pth', seed=8)
    model = MODELS.build(algorithm(teacher, student_ckpt=student))
    model.init_weights()
    assert equal(model.student.state_dict(), torch.load(student)['state_dict'])
    with pytest.raises(ValueError, match=r'missing: backbone.conv1.weight'):
        MODELS.build(algorithm(teacher, student_ckpt=weights(tmp_path / 'x.pth', change=rename)))


def test_dropout_of_the_teacher_is_off_where_mmrazor_leaves_it_on(tmp_path):
    stacked = copy.deepcopy(KL)
    stacked['teacher_recorders'] = dict(logits=dict(type='ModuleOutputs', source='head.layers.1.fc'))
    config = algorithm(weights(tmp_path / 'a.pth', model=DROPOUT), teacher=DROPOUT, distiller=stacked)
    for model, spread in ((upstream(copy.deepcopy(config)), True), (MODELS.build(config), False)):
        model.train()
        images = torch.randn(4, 3, 8, 8)
        first, second = (model.teacher(images, mode='tensor') for _ in range(2))
        assert torch.equal(first, second) != spread
    assert not any(module.training for module in model.teacher.modules())
    assert model.student.training


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """Two epochs with EMA, then what is on the disk."""
    folder = tmp_path_factory.mktemp('run')
    path = weights(folder / 'teacher.pth')
    torch.manual_seed(0)
    runner, steps = train(folder / 'run', algorithm(path), epochs=2, **PLAIN)
    return folder, path, runner, steps


def test_the_teacher_is_bit_identical_after_training_and_not_in_the_checkpoint(run):
    folder, path, runner, steps = run
    assert equal(runner.model.teacher.state_dict(), torch.load(path)['state_dict'])
    saved = torch.load(folder / 'run/epoch_2.pth', weights_only=True)['state_dict']
    assert {key.split('.')[0] for key in saved} == {'architecture'}
    assert len(steps) == 8


def test_a_resumed_run_takes_the_teacher_from_its_own_checkpoint_again(run, tmp_path, capfd):
    folder, path, runner, _ = run
    resumed, _ = train(
        tmp_path, algorithm(path), epochs=2, **PLAIN, resume=True, log_level='INFO', load_from=str(folder / 'run/epoch_1.pth')
    )
    assert resumed.iter == 8
    assert equal(resumed.model.teacher.state_dict(), runner.model.teacher.state_dict())
    shown = ''.join(capfd.readouterr())
    assert 'resumed epoch: 1' in shown
    assert 'missing keys' not in shown


def test_save_teacher_puts_it_into_the_checkpoint(run, tmp_path):
    _, path, _, _ = run
    train(tmp_path, algorithm(path, save_teacher=True), **PLAIN)
    saved = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']
    assert equal({k[8:]: v for k, v in saved.items() if k.startswith('teacher.')}, torch.load(path)['state_dict'])


def test_a_checkpoint_with_another_teacher_does_not_replace_ours(run, tmp_path):
    other = weights(tmp_path / 'other.pth', seed=9)
    train(tmp_path / 'a', algorithm(other, save_teacher=True), **PLAIN)
    runner, _ = train(tmp_path / 'b', algorithm(run[1]), load_from=str(tmp_path / 'a/epoch_1.pth'), **PLAIN)
    assert equal(runner.model.teacher.state_dict(), torch.load(run[1])['state_dict'])


def test_ema_keeps_the_teacher_out_and_bit_identical(run, tmp_path):
    _, path, _, _ = run
    for update_buffers in (False, True):
        ema = dict(type='EMAHook', momentum=0.3, update_buffers=update_buffers)
        runner, _ = train(tmp_path / str(update_buffers), algorithm(path), hooks=(ema,), views=1, validate=True)
        assert equal(runner.model.teacher.state_dict(), torch.load(path)['state_dict'])
        saved = torch.load(tmp_path / str(update_buffers) / 'epoch_1.pth', weights_only=True)
        assert not [key for part in ('state_dict', 'ema_state_dict') for key in saved[part] if 'teacher.' in key]


def wrong(**changes):
    distiller = copy.deepcopy(KL)
    for name, value in changes.items():
        distiller[name] = value
    return dict(distiller=distiller)


def other_classes():
    model = copy.deepcopy(CONV)
    model['head']['num_classes'] = 12
    return model


NORMALISED = {**CONV, 'data_preprocessor': dict(type='mmpretrain.ClsDataPreprocessor', mean=[10, 10, 10], std=[82, 82, 82])}
REFUSED = {
    'a source that is not there': (
        wrong(teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fcc'))),
        r"teacher_recorders.logits: source 'head.fcc' is not in ImageClassifier; nearest: head.fc",
    ),
    'a parameter that is not there': (
        wrong(student_recorders=dict(LOGITS, w=dict(type='Parameter', source='head.fc.weights'))),
        "student_recorders.w: source 'head.fc.weights' is not in ImageClassifier; nearest: head.fc.weight",
    ),
    'a mapping without an argument': (
        wrong(loss_forward_mappings=dict(loss_kl=dict(preds_S=dict(recorder='logits', from_student=True)))),
        'loss_forward_mappings.loss_kl lacks preds_T: KLDivergence needs preds_S, preds_T',
    ),
    'a loss without a mapping': (wrong(loss_forward_mappings={}), 'loss_forward_mappings.loss_kl lacks preds_S, preds_T'),
    'a negative weight': (
        wrong(distill_losses=dict(loss_kl=dict(type='KLDivergence', loss_weight=-1.0))),
        'distill_losses.loss_kl.loss_weight must be a finite number of at least 0, got -1.0',
    ),
    'a weight that is not a number': (
        wrong(distill_losses=dict(loss_kl=dict(type='KLDivergence', loss_weight=float('nan')))),
        'loss_weight must be a finite number of at least 0, got nan',
    ),
    'another normalisation': (
        dict(teacher=NORMALISED),
        r"data_preprocessor.mean is \[78.0, 78.0, 78.0\], but \[10.0, 10.0, 10.0\] for the teacher's config",
    ),
    'another normalisation of the student': (dict(student=NORMALISED), "for the student's config"),
    'a trainable teacher': (dict(teacher_trainable=True), 'SafeTeacherDistill freezes its teacher'),
}


@pytest.mark.parametrize('case', REFUSED)
def test_a_mistake_is_named(run, case):
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        MODELS.build(algorithm(run[1], **options))


def test_different_classes_are_refused(tmp_path):
    model = other_classes()
    path = weights(tmp_path / 'a.pth', model=model)
    with pytest.raises(ValueError, match='the student has 10 classes, the teacher 12'):
        MODELS.build(algorithm(path, teacher=model))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('data_preprocessor = dict(\n    mean=[10, 10, 10], std=[82, 82, 82], type="X")', r'mean is .* says its checkpoint'),
        ('data_preprocessor = dict(mean=[78, 78, 78], std=[40, 40, 40])', r'std is .* says its checkpoint'),
        ('data_preprocessor = dict(mean=[78, 78, 78], std=[82, 82, 82], to_rgb=True)', r'to_rgb is False, but True'),
        ('model = dict(data_preprocessor=dict(mean=[1, 1, 1], std=[82, 82, 82]))', r'mean is'),
        ('data_preprocessor = dict(mean=[78.01, 78, 78], std=[82, 82, 82])', None),
        ('x = (', r'a\.pth was not loaded: meta\.cfg could run code'),
        (None, None),
    ],
)
def test_the_checkpoint_says_how_the_teacher_was_normalised(tmp_path, text, message):
    config = algorithm(weights(tmp_path / 'a.pth', meta=dict(cfg=text)))
    if message is None:
        assert MODELS.build(config)
        return
    with pytest.raises(ValueError, match=message):
        MODELS.build(config)


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_file_that_is_missing_damaged_or_hostile_is_named_and_never_run(tmp_path):
    marker = tmp_path / 'marker'
    (tmp_path / 'damaged.pth').write_bytes(b'no checkpoint')
    torch.save(dict(state_dict={}, meta=Hostile(marker)), tmp_path / 'hostile.pth')
    for name, error in (('missing', FileNotFoundError), ('damaged', ValueError), ('hostile', Exception)):
        with pytest.raises(error, match=f'{name}.pth'):
            MODELS.build(algorithm(str(tmp_path / f'{name}.pth')))
        with pytest.raises(error, match=f'{name}.pth'):
            MODELS.build(algorithm(student_ckpt=str(tmp_path / f'{name}.pth'), allow_random_teacher=True))
    assert not marker.exists()


PIPELINES = {
    'a crop': ("[dict(type='Resize', scale=40), dict(type='mmpretrain.RandomCrop', crop_size=12, padding=2)]", 12),
    'views': ("[dict(type='MultiView', transforms=[[dict(type='RandomResizedCrop', scale=(12, 12))]], num_views=2)]", 12),
    'the same': ("[dict(type='RandomCrop', crop_size=(8, 8))]", None),
    'not square': ("[dict(type='RandomCrop', crop_size=(12, 9))]", None),
    'nothing known': ('[]', None),
}


@pytest.mark.parametrize('case', PIPELINES)
def test_images_of_another_size_than_the_teachers_are_refused_before_any_step(tmp_path, case):
    pipeline, side = PIPELINES[case]
    inner = f"dict(type='CIFAR100', pipeline={pipeline})"
    text = f"train_dataloader = dict(dataset=dict(type='RepeatDataset', dataset={inner}))"
    config = algorithm(weights(tmp_path / 'a.pth', meta=dict(cfg=text)))
    if side is None:
        train(tmp_path / 'run', config, **PLAIN)
        return
    runner = build(tmp_path / 'run', config, **PLAIN)
    runner.model.init_weights()
    before = state(runner.model)
    with pytest.raises(ValueError, match=f'the images are 8x8, but {side}x{side} for the training of the teacher'):
        runner.model(torch.zeros(4, 3, 8, 8), [DataSample().set_gt_label(0) for _ in range(4)], mode='loss')
    assert equal(before, runner.model.state_dict())


def test_the_digits_say_their_size_without_a_crop():
    text = "train_dataloader = dict(dataset=dict(type='icckd_mm.Digits', scale=16, pipeline=[dict(type='PackInputs')]))"
    assert read_record(dict(meta=dict(cfg=text))).side == 16


@pytest.mark.parametrize('step', ['dict(scale=3)', 'dict(type=3)', "dict(type='Resize', scale=())", '[{}]'])
def test_a_step_that_is_not_one_is_no_error(step):
    text = f"train_dataloader = dict(dataset=dict(type='CIFAR10', pipeline=[{step}]))"
    assert read_record(dict(meta=dict(cfg=text))).side is None


def test_without_mmrazor_the_error_says_so():
    code = """
import sys
sys.modules['mmrazor'] = None
from mmengine.registry import MODELS
MODELS.get('icckd_mm.SafeTeacherDistill')
"""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )
    assert 'no model SafeTeacherDistill that works without mmrazor, and mmrazor cannot be imported' in done.stderr


def test_the_state_of_a_student_is_what_upstream_gives(tmp_path):
    """Same losses as mmrazor's algorithm, for a teacher without dropout."""
    config = algorithm(weights(tmp_path / 'a.pth'))
    theirs, ours = upstream(copy.deepcopy(config)), MODELS.build(config)
    theirs.student.load_state_dict(state(ours.student))
    data = dict(
        inputs=torch.randint(256, (6, 3, 8, 8), dtype=torch.uint8),
        data_samples=[DataSample().set_gt_label(i) for i in range(6)],
    )
    losses = []
    for model in (theirs, ours):
        model.train()
        losses.append(model(**model.data_preprocessor(copy.deepcopy(data), True), mode='loss'))
    assert losses[0].keys() == losses[1].keys()
    for name, value in losses[0].items():
        torch.testing.assert_close(losses[1][name], value)
