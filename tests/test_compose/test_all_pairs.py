"""Networks of every family with soft labels, relations, maps and CRD: each loss teaches, each student is published."""

import copy

import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS, MODELS, DefaultScope

from icckd_mm.compose import compose
from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import read_plan
from icckd_mm.zoo.publish import publish
from icckd_mm.zoo.verify import verify_all
from tools import train

pytestmark = pytest.mark.slow
MM = 'mmpretrain::'
PAIRS = [  # with a distiller of maps that fits
    ('resnet20', 'mobilenetv2', 'fitnet'),
    ('wrn16-2', 'shufflenetv1', 'at'),
    (f'{MM}resnet/resnet18_8xb32_in1k', f'{MM}mobilenet_v3/mobilenet-v3-small_8xb128_in1k', 'at'),
    (f'{MM}deit/deit-tiny_4xb256_in1k', f'{MM}resnet/resnet18_8xb32_in1k', 'fitnet'),
    (f'{MM}swin_transformer/swin-tiny_16xb64_in1k', 'shufflenetv2', 'fitnet'),
    (f'{MM}efficientnet/efficientnet-b0_8xb32_in1k', f'{MM}regnet/regnetx-400mf_8xb128_in1k', 'at'),
    ('timm:convnext_atto', 'timm:mobilenetv3_small_050', 'at'),
    ('vgg8', f'{MM}deit/deit-tiny_4xb256_in1k', 'at'),
]
LOADERS = [f'{name}_dataloader.num_workers=0' for name in ('train', 'val')]


@pytest.fixture(scope='module', params=PAIRS, ids=lambda pair: f'{pair[0]} to {pair[1]}'.replace(MM, ''))
def pair(request, six, tmp_path_factory):
    """The folder that a composition of a pair was started in, and what was composed: a teacher and four students."""
    teacher, student, maps = request.param
    if 'timm:' in f'{teacher} {student}':
        pytest.importorskip('timm')
    place = tmp_path_factory.mktemp('pair')
    methods, quiet = f'ce,kd,rkd,{maps},kd-crd', dict(epochs=1, batch=4, say=lambda line: None)
    done = compose(teacher, student, str(six), methods, size=64, out=place / 'mine', **quiet)
    assert len(done.students) == 4
    return place, done


def gradients(cfg):
    """For each distillation loss of a config, whether the student's backbone gets a gradient by it alone."""
    cfg = copy.deepcopy(cfg)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        cfg.model.update(teacher_ckpt=None, allow_random_teacher=True)
        cfg.model.data_preprocessor = cfg.data_preprocessor
        model = MODELS.build(cfg.model).train()
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        batch = model.data_preprocessor(default_collate([dataset[place] for place in range(4)]), True)
        losses = model(**batch, mode='loss')
    student = [weight for weight in model.architecture.parameters() if weight.requires_grad]
    found = {}
    for name, loss in losses.items():
        if name.startswith('distill.'):
            grads = torch.autograd.grad(loss.sum(), student, retain_graph=True, allow_unused=True)
            found[name] = any(grad is not None and bool(grad.abs().sum() > 0) for grad in grads)
    return found


def test_each_loss_of_each_student_reaches_it(pair):
    for cfg in pair[1].students.values():
        found = gradients(cfg)
        assert found
        assert all(found.values()), found


def test_each_student_is_trained_published_and_verified(pair, monkeypatch):
    place, done = pair
    monkeypatch.chdir(place)
    train.main(['mine/teacher.py', '--cfg-options', *LOADERS])
    for name in done.students:
        train.main([f'mine/{name}.py', '--cfg-options', *LOADERS])
        checks = publish(f'work_dirs/mine/{name}', f'published/{name}', list_it=False)
        assert all(passed for _, passed, _ in checks), checks
    for name, checks in zip(done.students, verify_all([f'published/{name}' for name in done.students])):
        faults = [check for check in checks if check[0] != 'metrics' and not check[1]]
        assert not faults, (name, faults)
        assert checks[-1][0] == 'metrics'


def test_class_means_of_a_network_without_a_head_stay_out_of_student_plan_and_model(six, tmp_path, monkeypatch):
    """A network of timm holds its loss itself, with what MCMI has learnt of the classes."""
    pytest.importorskip('timm')
    monkeypatch.chdir(tmp_path)
    done = compose('timm:mobilenetv3_small_050', 'resnet8', str(six), 'mcmi,kd', out='mine', epochs=1, batch=4, say=str)
    for name in ('teacher_ce', 'teacher', 'student_kd'):
        train.main([f'mine/{name}.py', '--cfg-options', *LOADERS])
    assert all(passed for _, passed, _ in publish(f'work_dirs/mine/{next(iter(done.teachers))}', 'published', list_it=False))
    students = [run.recipe for run in build_graph(read_plan('mine/plan.py')).values() if run.recipe.stage == 'student']
    ignored = {one.parent.method: one.options.get('model.ignore_keys') for one in students if one.parent}
    assert ignored == {'mcmi': ['loss_module.'], 'ce': None}
