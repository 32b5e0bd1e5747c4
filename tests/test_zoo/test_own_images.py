"""Runs on images of one's own: not square, grey, without a test loader, in a folder of this machine."""

import copy

import numpy as np
import pytest
import torch
import yaml
from mmcv import imread, imwrite
from mmengine.config import Config
from mmpretrain import ImageClassificationInferencer, get_model

from icckd_mm.lab.analysis.figures import drawn
from icckd_mm.lab.analysis.report import report
from icckd_mm.lab.analysis.run import named_runs
from icckd_mm.zoo import clean_process
from icckd_mm.zoo.architectures import classifier_config
from icckd_mm.zoo.entry_files import write_entry
from icckd_mm.zoo.network import take_network
from icckd_mm.zoo.onnx_export import onnx_bytes
from icckd_mm.zoo.publish import publish
from icckd_mm.zoo.standalone_config import image_shape, standalone_config
from tests.helpers import CONV, RESNET, train

from .test_export import FORMATS, without_onnx
from .test_export import network as make_network

GREY = copy.deepcopy(RESNET)
GREY['backbone']['in_channels'] = 1


@pytest.fixture(scope='session')
def pictures(tmp_path_factory):
    """Files 16 high and 24 wide of two classes, in three folders of the same names."""
    root, rng = tmp_path_factory.mktemp('somebody') / 'beetles', np.random.default_rng(0)
    for split in ('train', 'val'):
        for label in ('black', 'white'):
            for index in range(8):
                pixels = rng.integers(100, size=(16, 24, 3)) + (150 if label == 'white' else 0)
                imwrite(pixels.astype(np.uint8), str(root / split / label / f'{index}.png'))
    return root


def run_on(root, folder, model=CONV, color='color', resize=(), loaders=('val', 'test'), **options):
    """Train on the pictures."""
    pipeline = [dict(type='LoadImageFromFile', color_type=color), *resize, dict(type='PackInputs')]
    model = copy.deepcopy(model)
    model['head']['num_classes'] = 2

    def loader(split):
        dataset = dict(type='CustomDataset', data_root=str(root), data_prefix=split, pipeline=pipeline)
        return dict(batch_size=8, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset)

    cfg = dict(train_dataloader=loader('train'))
    for name in loaders:
        cfg.update({f'{name}_dataloader': loader('val'), f'{name}_cfg': dict(), f'{name}_evaluator': dict(type='Accuracy')})
    train(folder, model, views=1, hooks=(), **cfg, **options)
    return folder


@pytest.fixture(scope='module')
def oblong(pictures, tmp_path_factory):
    return run_on(pictures, tmp_path_factory.mktemp('oblong'))


@pytest.fixture(scope='module')
def entry(oblong, tmp_path_factory):
    """The published run, its metafile, and what was said meanwhile."""
    out, said = tmp_path_factory.mktemp('zoo') / 'entry', []
    checks = publish(oblong, out, name='beetles', formats=FORMATS, say=said.append)
    (meta,) = yaml.safe_load((out / 'metafile.yml').read_text())['Models']
    return out, meta, said, checks


def test_images_that_are_not_square_keep_height_and_width_everywhere(entry):
    out, meta, _, checks = entry
    assert meta['Metadata']['Image Size'] == [16, 24]
    assert standalone_size(out) == (24, 16)
    card = (out / 'README.md').read_text()
    assert '16 pixels high and 24 wide' in card
    square = 16 * 16 / (16 * 24)
    assert meta['Metadata']['FLOPs'] * square == pytest.approx(flops(out, 16, 16), rel=0.02)
    if 'onnx' in FORMATS:
        onnxruntime = pytest.importorskip('onnxruntime')
        (graph,) = out.glob('*.onnx')
        assert onnxruntime.InferenceSession(str(graph)).get_inputs()[0].shape[1:] == [3, 16, 24]
        assert '`(batch, 3, 16, 24)`' in card
    assert all(passed for _, passed, _ in checks)


def standalone_size(out):
    steps = Config.fromfile(out / 'beetles.py').test_dataloader.dataset.pipeline
    return next(tuple(step.scale) for step in steps if step.type.endswith('Resize'))


def flops(out, height, width):
    from icckd_mm.zoo.card.complexity import complexity

    model = get_model(str(out / 'beetles.py'), device='cpu')
    return complexity(model.eval(), (3, height, width))['FLOPs']


def test_the_card_names_images_and_classes_and_no_folder_of_this_machine(entry, pictures):
    out, meta, _, checks = entry
    card, plain = (out / 'README.md').read_text(), (out / 'beetles.py').read_text()
    assert meta['Results'][0]['Dataset'] == 'beetles/val'
    assert 'metric on the images in beetles/val' in card
    assert 'Classes: black, white.' in card
    assert 'CustomDataset' not in card
    for text in (card, plain, (out / 'metafile.yml').read_text()):
        assert str(pictures.parent) not in text
    assert meta['Metadata']['Code'].endswith(('mmengine 0.10.7', ')'))
    assert 'unknown' not in meta['Metadata']['Code']
    assert checks[-1][0] == 'metrics'  # measured all the same, where the data are
    assert checks[-1][2].endswith('on 16 images')


def test_what_takes_long_is_announced(entry):
    _, _, said, _ = entry
    assert said[0] == 'reading the checkpoint'
    assert said[-1] == 'checking the files in a clean process'


@pytest.mark.parametrize(
    ('resize', 'shape'),
    [
        ([dict(type='Resize', scale=(12, 8))], (3, 8, 12)),
        ([dict(type='ResizeEdge', scale=16), dict(type='CenterCrop', crop_size=(14, 10))], (3, 10, 14)),
        ([dict(type='Pad', size=(32, 28))], (3, 28, 32)),
    ],
)
def test_the_size_is_what_the_pipeline_gives(oblong, resize, shape):
    network = take_network(oblong)
    pipeline = network.config.test_dataloader.dataset.pipeline
    pipeline[1:1] = resize
    cfg = standalone_config(network)
    assert image_shape(cfg, network) == shape
    network.config.test_dataloader.dataset.data_root = '/nowhere'
    assert resize[0]['type'] == 'Pad' or image_shape(standalone_config(network), network) == shape


def test_a_network_of_one_channel_is_published(pictures, tmp_path):
    norm = dict(type='ClsDataPreprocessor', mean=[100], std=[80])
    run = run_on(pictures, tmp_path / 'run', {**GREY, 'data_preprocessor': norm}, 'grayscale')
    publish(run, tmp_path / 'out', name='grey', formats=FORMATS)
    (meta,) = yaml.safe_load((tmp_path / 'out/metafile.yml').read_text())['Models']
    assert meta['Metadata']['Image Channels'] == 1
    card = (tmp_path / 'out/README.md').read_text()
    assert "mmcv.imread('image.png', 'grayscale')" in card
    assert 'one channel (grey)' in card
    (weights,) = (tmp_path / 'out').glob('*.pth')
    model = get_model(str(tmp_path / 'out/grey.py'), pretrained=str(weights), device='cpu')
    image = imread(str(pictures / 'val/white/0.png'), 'grayscale')  # as the card says
    (found,) = ImageClassificationInferencer(model)(image)
    with torch.no_grad():
        expected = model.head.predict(model.extract_feat((torch.tensor(image)[None, None].float() - 100) / 80))
    assert found['pred_scores'] == pytest.approx(expected[0].pred_score.numpy(), abs=1e-5)


@pytest.mark.parametrize('loaders', [('val',), ()])
def test_a_run_without_a_test_loader_is_published(pictures, tmp_path, loaders):
    """As it was validated; or, without any evaluation, at the size of the training."""
    run = run_on(pictures, tmp_path / 'run', loaders=loaders)
    publish(run, tmp_path / 'out', name='beetles')
    (meta,) = yaml.safe_load((tmp_path / 'out/metafile.yml').read_text())['Models']
    assert meta['Metadata']['Image Size'] == [16, 24]
    assert bool(meta['Results']) == bool(loaders)


def test_a_report_is_built_in_the_scope_of_the_run(oblong):
    """``CustomDataset`` without a prefix is mmpretrain's."""
    runs = named_runs([str(oblong)])
    assert runs[0].space.labels.tolist() == [0] * 8 + [1] * 8
    assert 'this checkpoint on the test split' in report(runs, list(drawn(runs, ['curves'], 4.0)))


@without_onnx
def test_a_graph_that_differs_does_not_cost_the_weights(oblong, tmp_path, monkeypatch):
    def of_another_network(model, *args):
        with torch.no_grad():
            model.head.fc.weight[0] += 1
            graph = onnx_bytes(model, *args)
            model.head.fc.weight[0] -= 1
        return graph

    monkeypatch.setattr('icckd_mm.zoo.entry_files.onnx_bytes', of_another_network)
    checks = publish(oblong, tmp_path / 'out', name='beetles', formats=['pth', 'onnx'])
    (refused,) = [detail for what, passed, detail in checks if passed is False]
    assert refused.startswith('the graph computes something else than the network: its logits are up to ')
    assert '% of the images get another class' in refused
    assert refused.isprintable()
    assert [what for what, passed, _ in checks if passed][-1] == 'metrics'
    assert sorted(path.suffix for path in (tmp_path / 'out').iterdir()) == ['.json', '.md', '.pth', '.py', '.yml']
    assert 'onnx' not in (tmp_path / 'out/metafile.yml').read_text().lower()
    assert 'onnx' not in (tmp_path / 'out/README.md').read_text().lower()


@without_onnx
def test_a_network_that_pytorch_cannot_export_is_published_without(oblong, tmp_path, monkeypatch):
    class Undecided(torch.nn.Module):
        def forward(self, images):
            return images.sum((2, 3)) if float(images.sum()) > 0 else images.mean((2, 3))

    monkeypatch.setattr('icckd_mm.zoo.entry_files.onnx_bytes', lambda model, *args: onnx_bytes(Undecided(), *args))
    checks = publish(oblong, tmp_path / 'out', name='beetles', formats=['pth', 'onnx'], metrics=False)
    assert checks[-1][:2] == ('ONNX', False)
    assert checks[-1][2].startswith('PyTorch cannot export this network to ONNX; leave onnx out of the formats: ')
    assert checks[-1][2].isprintable()
    assert '[1m' not in checks[-1][2]
    assert '[96m' not in checks[-1][2]
    assert list((tmp_path / 'out').glob('*.pth'))


@without_onnx
def test_a_graph_is_judged_by_the_rounding_of_single_precision(tmp_path):
    """Logits of a network without learnt statistics are in the thousands; what the order of sums changes is more than 1e-5."""
    model = classifier_config('resnet18', 10, 'torchvision')
    network = make_network(model, tmp_path)
    with torch.no_grad():
        for name, value in network.state.items():
            if name.endswith('running_var'):
                value.mul_(0.02)
    (tmp_path / 'entry').mkdir()
    write_entry(network, 'deep', tmp_path / 'entry', ['pth', 'onnx'], metrics=False)
    checks = {what: (passed, detail) for what, passed, detail in clean_process.check_folder(tmp_path / 'entry', metrics=False)}
    apart = float(checks['ONNX'][1].split(' are ')[1].split()[0])
    assert apart > 1e-4  # more than could be allowed any network
    assert checks['ONNX'][0]
    assert 'double precision' in checks['ONNX'][1]
