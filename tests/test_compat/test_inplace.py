import ast
import inspect
from collections import OrderedDict

import pytest
import torch
from torch import nn

from icckd_mm.compat import inplace


@pytest.fixture(scope='module')
def distiller():
    """mmrazor's distillation of one mmpretrain ResNet by another, with a recorder on a BN that a ReLU in place follows."""
    import mmpretrain.models  # noqa: F401
    import mmrazor.models  # noqa: F401
    from mmrazor.registry import MODELS

    network = {
        'type': 'mmpretrain.ImageClassifier',
        '_scope_': 'mmpretrain',
        'backbone': {'type': 'ResNet', 'depth': 18},
        'head': {'type': 'LinearClsHead', 'num_classes': 3, 'in_channels': 512},
        'neck': {'type': 'GlobalAveragePooling'},
    }
    recorder = {'bn': {'type': 'ModuleOutputs', 'source': 'backbone.layer1.0.bn1'}}
    torch.manual_seed(0)
    return MODELS.build(
        {
            'type': 'SingleTeacherDistill',
            '_scope_': 'mmrazor',
            'architecture': network,
            'teacher': network,
            'data_preprocessor': {'type': 'mmpretrain.ClsDataPreprocessor'},
            'distiller': {'type': 'ConfigurableDistiller', 'student_recorders': recorder, 'teacher_recorders': recorder},
        }
    )


@pytest.mark.parametrize('part', ['architecture', 'teacher'])
def test_no_layer_of_student_and_teacher_works_in_place(distiller, part):
    flags = [module.inplace for module in getattr(distiller, part).modules() if hasattr(module, 'inplace')]
    assert len(flags) > 8
    assert not any(flags)


@pytest.mark.parametrize('part', ['student', 'teacher'])
def test_a_recorder_sees_the_batch_norm_before_the_relu(distiller, part):
    recorders = getattr(distiller.distiller, f'{part}_recorders')
    model = distiller.student if part == 'student' else distiller.teacher
    with recorders, torch.no_grad():
        model(torch.randn(2, 3, 32, 32), mode='tensor')
    assert recorders.get_recorder('bn').get_record_data().min() < -0.5


def test_the_method_takes_what_the_original_takes():
    relus = [nn.ReLU(inplace=True) for _ in range(3)]
    inplace.set_module_inplace_false(None, OrderedDict(a=relus[0], b=nn.Sequential(relus[1]), c=None), 'self.x')
    inplace.set_module_inplace_false(None, nn.ModuleDict({'a': relus[2]}), 'self.x')
    inplace.set_module_inplace_false(None, 'neither', 'self.x')
    assert not any(relu.inplace for relu in relus)


def test_the_original_still_fails_from_torch_2_5_on(distiller):
    from mmrazor.models.algorithms import base

    tree = ast.parse(inspect.getsource(base))
    (method,) = [node for node in ast.walk(tree) if getattr(node, 'name', '') == 'set_module_inplace_false']
    upstream = dict(vars(base))
    exec(compile(ast.Module([method], []), base.__file__, 'exec'), upstream)
    works = inplace.works(type('Upstream', (), {'set_module_inplace_false': upstream['set_module_inplace_false']}))
    assert works == isinstance(nn.Module()._modules, OrderedDict)
    patched = base.BaseAlgorithm.set_module_inplace_false is inplace.set_module_inplace_false
    assert patched == (not works)
