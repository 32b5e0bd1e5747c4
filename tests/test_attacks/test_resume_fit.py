"""Weights of another network, or under other names: resume, ``load_from`` and test refuse them."""

import pytest
import torch
from mmengine.hooks import Hook

from icckd_mm.engine.loading.load_check_hook import add_load_check
from tests.helpers import CONV, HEAD, ICC, RESNET, build

from .conftest import loop

WIDE = {**CONV, 'backbone': {**CONV['backbone'], 'widths': (4, 4, 8, 16)}, 'head': {**CONV['head'], 'in_channels': 16}}
DEEP = {**CONV, 'backbone': {**CONV['backbone'], 'depth': 14}}
TEN_TO_FIVE = {**CONV, 'head': dict(type='LinearClsHead', in_channels=8, **{**HEAD, 'num_classes': 5})}
PLAIN = dict(views=1, hooks=[])


class LoadedError(Exception):
    """Weights are loaded; nothing more is of interest."""


class StopThere(Hook):
    def before_train(self, runner):
        raise LoadedError


def renamed(rename):
    def change(content):
        content['state_dict'] = {rename(key): value for key, value in content['state_dict'].items()}

    return change


def bare(content):
    """What ``torch.save(model.state_dict(), FILE)`` gives."""
    weights = content['state_dict']
    content.clear()
    content.update(weights)


def start(run, tmp_path, *args, **options):
    """Build and load, and no step."""
    with pytest.raises(LoadedError):
        build(tmp_path / 'start', *args, load_from=str(run.file), **{**PLAIN, **options, 'hooks': [StopThere()]}).train()


def score(run, tmp_path, *args, **options):
    runner = build(tmp_path / 'test', *args, validate=True, load_from=str(run.file), **{**PLAIN, **options})
    add_load_check(runner)  # as tools/test.py does
    return runner.test()


OTHER_NAMES = {
    'architecture.': (lambda key: f'architecture.{key}', "Its keys begin with 'architecture.'"),
    'net.module.': (lambda key: f'net.module.{key}', "Its keys begin with 'net.module.'"),
    'model.': (lambda key: f'model.{key}', "Its keys begin with 'model.'"),
    'no backbone.': (lambda key: key.replace('backbone.', ''), ''),
    'nothing known': (lambda key: f'x{key}', ''),
}


@pytest.mark.parametrize('names', OTHER_NAMES)
def test_keys_of_other_names_are_refused_everywhere(run, names, tmp_path):
    rename, hint = OTHER_NAMES[names]
    run.forge(renamed(rename))
    with pytest.raises(ValueError, match=rf'epoch_2\.pth cannot be resumed from: its weights .* missing .*{hint}'):
        run.resume()
    with pytest.raises(ValueError, match=rf'load_from: .*epoch_2\.pth has none of the .* weights of the backbone .*{hint}'):
        start(run, tmp_path)
    with pytest.raises(ValueError, match=rf'epoch_2\.pth cannot be tested: .* missing .*{hint}'):
        score(run, tmp_path)


@pytest.mark.parametrize(
    ('model', 'message'),
    [
        (WIDE, 'of another shape or kind'),
        (DEEP, r'missing .*backbone\.depth is 8 in the file and 14 in the config\. '),
        (RESNET, 'missing'),
        (TEN_TO_FIVE, r'2 of another shape .*head\.fc'),
    ],
    ids=['wider', 'deeper', 'another network', 'other classes'],
)
def test_another_network_is_refused(run, model, message, tmp_path):
    with pytest.raises(ValueError, match=rf'epoch_2\.pth cannot be tested: .*{message}'):
        score(run, tmp_path, model)
    with pytest.raises(ValueError, match=r'epoch_2\.pth cannot be resumed from'):
        run.resume(model=model)


def test_a_shallower_network_is_not_tested_with_a_deeper_file(run, tmp_path):
    """All of its keys exist and fit: 10 % accuracy without an error."""
    run.forge(lambda content: content['state_dict'].update({'backbone.layer1.1.conv1.weight': torch.ones(4, 4, 3, 3)}))
    with pytest.raises(ValueError, match=r'1 surplus \(backbone\.layer1\.1\.conv1\.weight\)'):
        score(run, tmp_path)


def test_one_weight_that_is_missing_or_no_tensor(run):
    run.forge(lambda content: content['state_dict'].update({'backbone.conv1.weight': 3}))
    with pytest.raises(ValueError, match=r'1 of another shape or kind \(backbone\.conv1\.weight\)'):
        run.resume()
    run.forge(lambda content: content['state_dict'].pop('backbone.conv1.weight'))
    with pytest.raises(ValueError, match=r'1 missing \(backbone\.conv1\.weight\)'):
        run.resume()


@pytest.mark.parametrize('kind', [torch.int64, torch.bool, torch.complex64])
def test_weights_that_torch_would_cast_are_refused(kind, run, tmp_path):
    """Whole numbers in place of weights, and complex ones without their imaginary part, are other weights."""
    run.forge(lambda content: content['state_dict'].update({'backbone.conv1.weight': torch.ones(4, 3, 3, 3).to(kind)}))
    for tried in (run.resume, lambda: score(run, tmp_path)):
        with pytest.raises(ValueError, match=r'1 of another shape or kind \(backbone\.conv1\.weight\)'):
            tried()


def test_a_name_in_a_message_is_one_line_without_codes(run):
    run.forge(lambda content: content['state_dict'].update({'a\n\x1b[2J' + 'b' * 10_000: torch.ones(1)}))
    with pytest.raises(ValueError, match=r"1 surplus \('a\\n\\x1b\[2Jb+'\)") as caught:
        run.resume()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize('prefix', ['module.', '_orig_mod.', 'module._orig_mod.', '_orig_mod.module.'])
def test_weights_of_a_wrapped_network_are_those_of_the_network(run, prefix, tmp_path):
    plain = score(run, tmp_path)
    run.forge(renamed(lambda key: f'{prefix}{key}'))
    assert score(run, tmp_path) == plain
    start(run, tmp_path)
    run.forge(bare)
    assert score(run, tmp_path) == plain


def test_what_is_honest_goes_on(run, tmp_path):
    """A teacher's file with its queue under the plain config, another head for fine-tuning, module. of older files."""
    assert score(run, tmp_path)['accuracy/top1'] >= 0
    start(run, tmp_path, TEN_TO_FIVE)
    run.forge(renamed(lambda key: f'module.{key}'))
    assert score(run, tmp_path)['accuracy/top1'] >= 0
    start(run, tmp_path)
    assert run.resume().epoch == 3


def test_a_queue_that_is_not_in_the_file_starts_empty(run):
    """As before: the loss is added to, or taken from, a resumed run."""
    run.forge(renamed(lambda key: key))
    run.forge(lambda content: [content['state_dict'].pop(key) for key in list(content['state_dict']) if key.startswith('icc_')])
    assert run.resume(hooks=[ICC]).epoch == 3


def test_averaged_weights_are_tested_and_resumed(tmp_path):
    """``EMAHook`` keeps a second copy in the file."""
    options = dict(validate=True, views=1, train_cfg=loop(1))
    build(tmp_path, hooks=[dict(type='EMAHook')], **options).train()
    again = build(tmp_path, hooks=[dict(type='EMAHook')], resume=True, **{**options, 'train_cfg': loop(2)})
    again.train()
    assert again.epoch == 2
    plain = build(tmp_path / 'plain', hooks=[], load_from=str(tmp_path / 'epoch_2.pth'), **options)
    assert plain.test()['accuracy/top1'] >= 0
    honest = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    conv = 'module.backbone.conv1.weight'
    for change in ({'module.x': torch.ones(1)}, {conv: torch.ones(2)}, {conv: 3}, {'steps': 3}, {conv: None}):
        average = {**honest['ema_state_dict'], **change}
        torch.save({**honest, 'ema_state_dict': {k: v for k, v in average.items() if v is not None}}, tmp_path / 'epoch_2.pth')
        with pytest.raises(ValueError, match=r'epoch_2\.pth cannot be resumed from: its averaged weights .*: (x|back|steps)'):
            build(tmp_path, hooks=[dict(type='EMAHook')], resume=True, **{**options, 'train_cfg': loop(3)}).train()
