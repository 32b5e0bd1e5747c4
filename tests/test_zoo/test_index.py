"""Models of the zoo by name, through mmpretrain's own functions."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from mmpretrain import ImageClassificationInferencer, get_model, inference_model, list_models
from mmpretrain.apis.model import ModelHub

from icckd_mm.datasets import Digits
from icckd_mm.zoo import index as model_index
from icckd_mm.zoo.network import take_network
from icckd_mm.zoo.publish import publish

ROOT = Path(__file__).resolve().parents[2]
NAME = 'resnet8_icckd-kd_digits'
ENTRY = ROOT / 'configs/icckd/zoo' / NAME
PHOTOGRAPHS = [
    f'icckd_resnet8-{kind}_cifar10-16' for kind in ('w32_ce', 'w32_icc', 'w8_kd-ce', 'w8_kd-icc')
]  # teachers, then their students
CIFAR10 = ('airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck')


def run(code):
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_the_zoo_is_listed_and_loaded_by_name_in_either_order_of_imports():
    """Also with a file instead of True; importing only our package imports no host."""
    code = f"""
import sys
import icckd_mm
assert not [name for name in sys.modules if name.split('.')[0] in ('mmpretrain', 'mmrazor', 'mmcv', 'mmengine')]
import mmpretrain, torch
assert set(mmpretrain.list_models('*icckd*')) == {{'{NAME}', *{PHOTOGRAPHS}}}
assert len(mmpretrain.list_models()) > 500  # its own are still there
image = torch.rand(1, 3, 16, 16)
by_name = mmpretrain.get_model('{NAME}', pretrained=True)
by_file = mmpretrain.get_model('{NAME}', pretrained=by_name._metainfo.weights)
untrained = mmpretrain.get_model('{NAME}')
assert torch.equal(by_name(image), by_file(image)) and not torch.equal(by_name(image), untrained(image))
import importlib
importlib.reload(mmpretrain.apis.model)
icckd_mm.zoo.index.install()
print('fine')
"""
    assert run(code)[-1] == 'fine'
    assert run(f"import mmpretrain, icckd_mm; print(mmpretrain.list_models('{NAME}'))")[-1] == f"['{NAME}']"


def test_the_first_entry_reaches_on_the_digits_what_its_card_says():
    """Image by image through mmpretrain's inferencer, not through an evaluator."""
    data = Digits('test', scale=16)
    digits = [data[number] for number in range(len(data))]
    predict = ImageClassificationInferencer(str(ENTRY / f'{NAME}.py'), pretrained=str(next(ENTRY.glob('*.pth'))))
    found = predict([sample['img'] for sample in digits], batch_size=60)
    right = sum(result['pred_label'] == sample['gt_label'] for result, sample in zip(found, digits))
    accuracy = 100 * right / len(digits)
    (entry,) = yaml.safe_load((ENTRY / 'metafile.yml').read_text())['Models']
    assert entry['Results'][0]['Metrics'] == {'accuracy/top1': pytest.approx(accuracy, abs=0.005)}
    assert f'| accuracy/top1 | {accuracy:.2f} |' in (ENTRY / 'README.md').read_text()
    assert len(digits) == 360
    assert found[0]['pred_class'] == str(found[0]['pred_label'])


@pytest.mark.parametrize('name', PHOTOGRAPHS)
def test_a_network_for_photographs_takes_a_picture_of_any_size(name, tmp_path):
    """By its name; the file says what the card says, and the class is one of CIFAR-10's."""
    import cv2

    picture = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'picture.png'), picture)
    found = inference_model(name, str(tmp_path / 'picture.png'), device='cpu', show=False)
    assert found['pred_class'] in CIFAR10
    folder = ROOT / 'configs/icckd/zoo' / name
    (entry,) = yaml.safe_load((folder / 'metafile.yml').read_text())['Models']
    card = (folder / 'README.md').read_text()
    assert f'| accuracy/top1 | {entry["Results"][0]["Metrics"]["accuracy/top1"]:.2f} |' in card
    assert ('intra-class contrastive loss' in card) == (name == PHOTOGRAPHS[1])
    assert ('Distilled from' in card) == ('_kd-' in name)


def test_the_first_entry_is_small_and_no_entry_names_a_folder_of_a_machine():
    assert sum(path.stat().st_size for path in ENTRY.iterdir()) < 200_000
    entries = [path for path in ENTRY.parent.glob('*/*') if path.suffix != '.pth']
    assert len(entries) == 4 * (1 + len(PHOTOGRAPHS))
    meta = [torch.load(path, weights_only=True)['meta'] for path in ENTRY.parent.glob('*/*.pth')]
    for text in (*(path.read_text() for path in entries), str(meta)):
        assert '/root' not in text
        assert '/home' not in text
        assert '/tmp' not in text
        assert '/work' not in text.replace('/work_dirs', '')


def test_the_index_lists_what_is_in_the_repository():
    listed = model_index.read_index(ROOT / 'model-index.yml')['Import']
    assert {path for path in listed if (ROOT / path).is_file() and '..' not in path} == set(listed)
    assert set(listed) >= {path.relative_to(ROOT).as_posix() for path in (ROOT / 'configs').rglob('metafile.yml')}


@pytest.fixture
def zoo(tmp_path):
    """A model index that lists one other model."""
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'metafile.yml').write_text('Models: [{Name: Taken}]')
    (tmp_path / 'model-index.yml').write_text('Import: [other/metafile.yml]\n')
    return tmp_path


def test_publishing_below_an_index_lists_the_entry(student, zoo):
    out = zoo / 'deep' / 'tiny-icckd'
    publish(student[0], out, name='tiny-icckd', metrics=False)
    index = zoo / 'model-index.yml'
    assert yaml.safe_load(index.read_text()) == {'Import': ['other/metafile.yml', 'deep/tiny-icckd/metafile.yml']}
    assert model_index.with_entry(index, out) == index.read_text()  # once
    assert sorted(path.name for path in zoo.iterdir()) == ['deep', 'model-index.yml', 'other']
    known = set(list_models())
    try:
        (zoo / 'other' / 'metafile.yml').unlink()  # a folder that was deleted by hand
        model_index.register(ModelHub, index)
        model = get_model('tiny-icckd', pretrained=True)
        state = model.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in take_network(student[0]).state.items())
    finally:
        for name in set(ModelHub._models_dict) - known:
            del ModelHub._models_dict[name]


def test_a_name_that_is_taken_is_refused_before_any_work(student, zoo):
    index = (zoo / 'model-index.yml').read_text()
    with pytest.raises(ValueError, match='has a model taken already; set another --name, or use --no-index'):
        publish(student[0], zoo / 'mine', name='taken')
    assert not (zoo / 'mine').exists()
    for name in (NAME, 'resnet18_8xb16_cifar10'):  # ours, and one of mmpretrain, whose index would break
        with pytest.raises(ValueError, match='already'):
            publish(student[0], zoo / 'mine', name=name, index=ROOT / 'model-index.yml')
    assert (zoo / 'model-index.yml').read_text() == index


def test_the_index_that_is_named_is_taken_and_a_wrong_one_refused(student, zoo):
    text = zoo / 'notes.yml'
    text.write_text('- just a list\n')
    with pytest.raises(ValueError, match='is not a model index; it must have the key Import'):
        publish(student[0], zoo / 'mine', index=text)
    with pytest.raises(ValueError, match=r'the folder of the model index .* does not exist'):
        publish(student[0], zoo / 'mine', index=zoo / 'fresh' / 'model-index.yml')
    assert sorted(path.name for path in zoo.iterdir()) == ['model-index.yml', 'notes.yml', 'other']


def test_the_nearest_index_above_is_found(zoo):
    assert model_index.find_index(zoo / 'a' / 'b') == zoo / 'model-index.yml'
    (zoo / 'a').mkdir()
    (zoo / 'a' / 'model-index.yml').write_text('')
    assert model_index.find_index(zoo / 'a' / 'b') == zoo / 'a' / 'model-index.yml'
    assert model_index.with_entry(zoo / 'a' / 'model-index.yml', zoo / 'a' / 'b') == 'Import:\n- b/metafile.yml\n'


def test_a_broken_index_keeps_nobody_from_importing_mmpretrain(tmp_path):
    (tmp_path / 'model-index.yml').write_text('Import: [bad.yml]\n')
    (tmp_path / 'bad.yml').write_text('Models: [{Name: x, Config: [\n')
    (tmp_path / 'configs' / 'icckd').mkdir(parents=True)
    os.symlink(ROOT / 'icckd_mm', tmp_path / 'package')
    code = f"""
import logging
from pathlib import Path
import icckd_mm.packaged as packaged
packaged.PACKAGE = Path({str(tmp_path)!r}) / 'package'
logging.getLogger('icckd_mm.zoo').addHandler(logging.FileHandler({str(tmp_path / 'log')!r}))
import mmpretrain
print(len(mmpretrain.list_models()) > 500)
"""
    assert run(code)[-1] == 'True'
    assert 'are not listed' in (tmp_path / 'log').read_text()
