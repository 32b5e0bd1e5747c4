"""Every network family makes the round trip, also as ONNX."""

import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from icckd_mm.zoo.architectures import classifier_config
from icckd_mm.zoo.card.complexity import complexity
from icckd_mm.zoo.entry_files import write_entry
from icckd_mm.zoo.network import Network
from icckd_mm.zoo.onnx_export import PACKAGES, check_packages, onnx_bytes
from icckd_mm.zoo.publish import publish
from icckd_mm.zoo.verify import SCRIPT, verify_all
from tests.helpers import CONV

FAMILIES = {
    'CIFARResNet': ('resnet8x4', 'mdistiller'),
    'CIFARWideResNet': ('wrn_16_1', 'mdistiller'),
    'CIFARVGG': ('vgg8', 'mdistiller'),
    'CIFARMobileNetV2': ('MobileNetV2', 'mdistiller'),
    'CIFARShuffleNetV1': ('ShuffleV1', 'mdistiller'),
    'CIFARShuffleNetV2': ('ShuffleV2', 'mdistiller'),
    'ResNet': ('resnet18', 'torchvision'),
}


def missing(name):
    try:
        __import__(name)
    except ImportError:
        return True
    return False


without_onnx = pytest.mark.skipif(
    any(missing(name) for name in PACKAGES), reason="needs onnx, onnxscript and onnxruntime: pip install 'icckd_mm[export]'"
)
FORMATS = ['pth']
FORMATS += [] if any(missing(name) for name in PACKAGES) else ['onnx']
FORMATS += [] if missing('safetensors') else ['safetensors']


def network(model, tmp_path):
    """As taken from a run; the statistics of batch norm have seen images."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        built = MODELS.build(Config({'model': model}).model)
    with torch.no_grad():
        built.train()(torch.randn(16, 3, 32, 32))
    pipeline = [dict(type='CenterCrop', crop_size=32), dict(type='PackInputs')]
    run = Config(
        dict(
            model=model,
            data_preprocessor=dict(mean=[10, 20, 30], std=[40, 50, 60], to_rgb=True),
            test_dataloader=dict(dataset=dict(type='CustomDataset', data_root='/nowhere', pipeline=pipeline)),
            test_evaluator=dict(type='Accuracy'),
        )
    )
    state = OrderedDict((name, value.clone()) for name, value in built.state_dict().items())
    meta = dict(time='20260102_030405', experiment_name='x_20260102_030405', epoch=1, iter=1)
    return Network(run, model, state, meta, False, tmp_path / 'none.pth', None)


@pytest.fixture(scope='module')
def entries(tmp_path_factory):
    """A folder for each family."""
    root = tmp_path_factory.mktemp('families')
    for family, (arch, source) in FAMILIES.items():
        (root / family).mkdir()
        write_entry(network(classifier_config(arch, 10, source), root), family.lower(), root / family, FORMATS)
    return root


def test_every_family_makes_the_round_trip(entries):
    """Reliability test 19: bit-identical weights, and the ONNX graph to 1e-5 for one image and for eight."""
    order = sorted(FAMILIES, key=lambda family: family != 'ResNet')  # before ours has been imported there
    results = verify_all([entries / family for family in order])
    for family, checks in zip(order, results):
        passed = {what: detail for what, good, detail in checks if good}
        assert not [check for check in checks if check[1] is False], family
        assert passed['mmpretrain.get_model'] == family
        assert ('ONNX' in passed) == ('onnx' in FORMATS)
        assert ('safetensors' in passed) == ('safetensors' in FORMATS)
        assert ('plain mmpretrain' in passed) == (family == 'ResNet')
        assert checks[-1] == ('metrics', None, 'not checked: the data are missing (nowhere)')


def test_a_network_of_mmpretrain_needs_neither_this_package_nor_mmrazor(entries):
    """In a process that can import neither."""
    code = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('icckd_mm', 'mmrazor'):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocker())
sys.argv = ['-', '0', '', '{{}}', {str(entries / 'ResNet')!r}]
exec(compile(open({str(SCRIPT)!r}).read(), 'clean_process.py', 'exec'), {{'__name__': '__main__'}})
"""
    out = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    assert '"prediction", true' in out
    assert 'false' not in out


def test_the_weights_file_holds_little_but_the_parameters(entries):
    """At most 1.01 times the parameters in fp32; networks of many small tensors pay for the names and statistics of each."""
    for family in ('CIFARResNet', 'CIFARVGG', 'ResNet'):
        (weights,) = (entries / family).glob('*.pth')
        state = torch.load(weights, weights_only=True)['state_dict']
        buffers = ('running_mean', 'running_var', 'num_batches_tracked')
        parameters = sum(value.numel() for name, value in state.items() if not name.endswith(buffers))
        assert weights.stat().st_size <= 1.01 * 4 * parameters


def test_flops_are_those_of_the_formula():
    """A 3x3 convolution of 3 to 4 channels at 64 places, and a linear layer of 4 to 10."""
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1, bias=False),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, 10),
    )
    sizes = complexity(model, (3, 8, 8))
    assert sizes['Parameters'] == 108 + 50
    pooling = 4 * 64
    assert sizes['FLOPs'] - (108 * 64 + 40) in (0, pooling)


@pytest.fixture(scope='module')
def small():
    model = dict(CONV, data_preprocessor=dict(type='ClsDataPreprocessor', mean=[10, 20, 30], std=[40, 50, 60], to_rgb=True))
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(Config({'model': model}).model).eval()


@without_onnx
def test_the_preprocessing_folds_into_the_graph(small):
    """BGR bytes in, logits out; the expected ones are computed with the formula, and a graph without it differs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_bytes(small, (3, 8, 8), with_preprocess=True))
    (given,) = session.get_inputs()
    assert (given.type, given.shape[1:]) == ('tensor(uint8)', [3, 8, 8])
    for batch in (1, 8):
        images = torch.randint(256, (batch, 3, 8, 8), dtype=torch.uint8)
        rgb = images[:, [2, 1, 0]].double()
        ready = (rgb - torch.tensor([10.0, 20, 30])[:, None, None]) / torch.tensor([40.0, 50, 60])[:, None, None]
        (logits,) = session.run(['logits'], {'images': images.numpy()})
        with torch.no_grad():
            torch.testing.assert_close(torch.from_numpy(logits), small(ready.float()), rtol=1e-5, atol=1e-5)
            assert not torch.allclose(torch.from_numpy(logits), small(ready.flip(1).float()), atol=1e-3)


@without_onnx
def test_the_graph_is_reproducible_and_names_no_folder_of_this_machine(small):
    import onnx

    first, second = onnx_bytes(small, (3, 8, 8)), onnx_bytes(small, (3, 8, 8))
    assert first == second
    assert str(Path(__file__).parents[2]).encode() not in first
    assert str(Path(torch.__file__).parent).encode() not in first
    assert b'.py' not in first
    proto = onnx.load_from_string(first)
    onnx.checker.check_model(proto, full_check=True)
    assert [(one.domain, one.version) for one in proto.opset_import] == [('', 18)]
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param


class Looks(torch.nn.Module):
    """What it computes depends on the values in the image."""

    def forward(self, images):
        return images.sum((2, 3)) if float(images.sum()) > 0 else images.mean((2, 3))


@without_onnx
def test_a_network_that_has_no_graph_is_one_clear_line():
    with pytest.raises(ValueError, match='cannot export this network to ONNX; leave onnx out') as caught:
        onnx_bytes(Looks(), (3, 8, 8))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('name', PACKAGES)
def test_a_missing_package_is_one_clear_line(name, monkeypatch, tmp_path):
    """Before any work: the run need not even exist."""
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=rf"needs .*{name}.*: pip install 'icckd_mm\[export\]'"):
        publish(tmp_path / 'run', tmp_path / 'out', formats=['pth', 'onnx'])
    with pytest.raises(ValueError, match='pip install'):
        check_packages()
    assert list(tmp_path.iterdir()) == []
