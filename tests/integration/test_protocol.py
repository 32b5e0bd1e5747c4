"""Every config of a student follows the published protocol, which tests/protocol.py repeats."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.structures import DataSample

from tests import protocol
from tests.config_reader import read_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/icckd'
# Not of one teacher, one student and one method
OTHERS = ('uskd_', 'byot_', 'icckd-dafl_', 'icckd-dfad_', 'icckd-two-teachers_')
TRANSFORMERS = ('vit16', 'swin16')  # nothing is published for networks of this size
PATHS = sorted(
    path
    for path in (CONFIGS / 'distill').glob('*.py')
    if not path.name.startswith(OTHERS) and not any(network in path.name for network in TRANSFORMERS)
)


def split(path):
    """Training of the teacher, method, teacher, student, batch and data of a config."""
    name, _, teacher, student, batch, data = path.stem.split('_')
    kind, _, method = name.partition('-')
    if kind in ('icckd', 'mcmi'):
        return {'icckd': 'icc'}.get(kind, kind), method, teacher, student, batch, data
    return 'ce', name, teacher, student, batch, data


@pytest.fixture(scope='module')
def loaded():
    return {path: read_config(path) for path in PATHS}


def test_the_fast_reader_gives_what_mmengine_reads():
    for path in PATHS[::97]:
        assert read_config(path).to_dict() == Config.fromfile(path).to_dict(), path


def test_weights_and_settings_are_the_published_ones(loaded):
    for path, cfg in loaded.items():
        _, method, teacher, student, _, data = split(path)
        ce, losses = protocol.protocol(method, data, teacher, student)
        net = cfg.model.get('architecture', cfg.model)
        if ce is None:
            assert cfg.model.get('calculate_student_loss') is False or method == 'simkd', path
            assert (cfg.model.type == 'icckd_mm.ReusedClassifierDistill') == (method == 'simkd'), path
        else:
            assert net.head.loss.loss_weight == ce, path
            assert 'calculate_student_loss' not in cfg.model, path
        found = cfg.model.distiller.distill_losses if 'distiller' in cfg.model else {}
        assert found.keys() == losses.keys(), path
        for name, settings in losses.items():
            stated = {key: found[name].get(key, 'not stated') for key in settings}
            assert stated == pytest.approx(settings) if 'tenth' in str(settings) else stated == settings, (path, name)


def test_a_loss_warms_up_where_published(loaded):
    for path, cfg in loaded.items():
        _, method, _, _, _, data = split(path)
        hooks = [hook for hook in cfg.get('custom_hooks') or [] if hook.type == 'icckd_mm.DistillWeightHook']
        expected = [
            dict(
                type='icckd_mm.DistillWeightHook',
                losses=[protocol.WARMED[name]],
                schedule='warmup',
                epochs=protocol.WARMUP[name].get(data, 20),
            )
            for name in protocol.parts(method)
            if name in protocol.WARMUP
        ]
        if method in ('wkd', 'wkd-f'):
            start = protocol.WKD_START.get(data, 150)
            if method == 'wkd-f':
                start = protocol.WKD_F_START.get((data, split(path)[2]), start)
            loss = f'loss_{method.replace("-", "_")}'
            expected.append(dict(type='icckd_mm.DistillWeightHook', losses=[loss], schedule='cosine', start=start))
        assert hooks == expected, path


def test_schedule_and_batch_are_the_published_ones(loaded):
    for path, cfg in loaded.items():
        _, method, teacher, student, batch, data = split(path)
        epochs, rate, mobile, decay, milestones = protocol.SCHEDULES[data]
        epochs, milestones = protocol.SCHEDULE_OF_METHOD.get(method, (epochs, milestones))
        rate = mobile if student in protocol.MOBILE else rate
        if method in protocol.SCHEDULE_OF_PAIR and data in protocol.CIFAR:
            by_pair = protocol.SCHEDULE_OF_PAIR[method]
            epochs, rate = by_pair.get(f'{teacher} {student}', by_pair['other'])
        usual = protocol.BATCH.get(data, '1xb64')
        if data == 'in1k' and batch != usual:
            rate = protocol.IMAGENET_BATCH[method, batch]
        else:
            in_ckd = 'ckd' in protocol.parts(method) and data == 'cifar100'
            assert batch == (protocol.BATCH_OF_CKD.get(f'{teacher} {student}', usual) if in_ckd else usual), path
        rate = protocol.RATE_OF_METHOD.get((method, data), rate)
        assert cfg.train_dataloader.batch_size == int(batch.partition('xb')[2]), path
        assert cfg.train_cfg.max_epochs == epochs, path
        optimizer = dict(type='SGD', lr=rate, momentum=0.9, weight_decay=decay)
        if method == 'dot':
            optimizer.update(type='icckd_mm.DOTSGD', delta=protocol.DOT_DELTA.get(data, 0.075))
        assert cfg.optim_wrapper.optimizer == optimizer, path
        if milestones is None:
            assert (cfg.param_scheduler.type, cfg.param_scheduler.T_max) == ('CosineAnnealingLR', epochs), path
        else:
            scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=milestones, gamma=0.1)
            assert cfg.param_scheduler == scheduler, path


def test_the_teacher_is_the_last_epoch_of_its_config(loaded):
    for path, cfg in loaded.items():
        kind, method, teacher, _, _, data = split(path)
        if method == 'ab':
            continue
        name = f'{kind}_{teacher}_{protocol.BATCH.get(data, "1xb64")}_{data}'
        (file,) = CONFIGS.glob(f'*/{name}.py')
        epochs = read_config(file).train_cfg.max_epochs
        assert cfg.model.teacher_ckpt == f'work_dirs/{name}/epoch_{epochs}.pth', path


def sources(recorders, *prefixes):
    return [recorder.source for name, recorder in recorders.items() if name.startswith(prefixes)]


def test_features_are_those_of_the_benchmark(loaded):
    """AT takes every stage, FitNet the second one, FT the last; OFD and AB the maps before the ReLU."""
    for path, cfg in loaded.items():
        _, method, teacher, student, _, data = split(path)
        used = set(protocol.parts(method))
        if 'distiller' not in cfg.model:
            continue
        distiller = cfg.model.distiller
        for net, who in ((student, 'student'), (teacher, 'teacher')):
            recorders = distiller.get(f'{who}_recorders', {})
            ends = [f'backbone.{name}' for name in protocol.stages(net)]
            if used & {'at', 'vid', 'nst'}:
                assert sources(recorders, 'stage') == ends, path
            elif used & {'fitnet'}:
                assert sources(recorders, 'stage') == ends[1:2], path
            elif used & {'ft', 'ft-pretrain', 'sp', 'wkd-f'} and recorders:
                assert sources(recorders, 'stage') == ends[-1:], path
            if used & {'ofd', 'ab-pretrain'} and data != 'in1k':
                assert sources(recorders, 'preact') == [f'backbone.{name}' for name in protocol.before_relu(net)], path
            if used & {'reviewkd'} and data != 'in1k':  # of MobileNetV2 there is no map before a ReLU, but it is a student only
                maps = protocol.before_relu(net) if who == 'teacher' else protocol.stages(net)
                assert sources(recorders, 'review') == [f'backbone.{name}' for name in maps], path
            if used & {'rkd', 'crd', 'pckd', 'pckd-4rot', 'pkt', 'cc', 'reviewkd'}:
                assert recorders.pooled == dict(type='ModuleInputs', source='head.fc'), path
            if used & {'ms', 'cwd', 'mgd', 'pkd', 'fbkd', 'sdd', 'dkd-sdd'}:
                assert recorders.maps == dict(type='ModuleInputs', source='neck.gap'), path


def test_crd_has_a_row_for_every_image_and_the_published_negatives(loaded):
    for path, cfg in loaded.items():
        _, method, _, _, _, data = split(path)
        if 'crd' in protocol.parts(method):
            loss, images = cfg.model.distiller.distill_losses.loss_crd, protocol.TRAIN_IMAGES[data]
            assert (loss.sample_n, loss.neg_num) == (images, min(16384, images // 2)), path
            assert {one.dim_out for one in cfg.model.distiller.connectors.values()} == {128}, path


def test_every_method_is_there_for_every_pair(loaded):
    """With the CE and the ICC teacher."""
    same = {'wrn40-2 wrn16-2', 'wrn40-2 wrn40-1', 'resnet56 resnet20', 'resnet110 resnet20', 'resnet110 resnet32'}
    same |= {'resnet32x4 resnet8x4', 'vgg13 vgg8'}
    other = {'vgg13 mobilenetv2', 'resnet50 mobilenetv2', 'resnet50 vgg8', 'resnet32x4 shufflenetv1', 'resnet32x4 shufflenetv2'}
    other |= {'wrn40-2 shufflenetv1'}
    there = {}
    for kind, method, teacher, student, _, data in map(split, loaded):
        there.setdefault((data, method, kind), set()).add(f'{teacher} {student}')
    features = ('reviewkd', 'wkd-f', 'simkd', 'dot', 'sp', 'vid', 'nst', 'pkt', 'cc')
    logits = ('lskd', 'dkd-lskd', 'sdd', 'dkd-sdd', 'ttm', 'wttm', 'nkd', 'wkd', 'mlkd', 'kd-2view', 'ctkd')
    for method in ('kd', 'fitnet', 'at', 'rkd', 'crd', 'dkd', 'dist', 'wsld', 'kd-crd', 'kd-rkd', 'ofd', *logits, *features):
        for kind in ('ce', 'icc'):
            without = {'vgg13 mobilenetv2', 'resnet50 mobilenetv2'} if method == 'ofd' else set()  # no map before a ReLU
            assert there['cifar100', method, kind] == (same | other) - without, (method, kind)
            assert there['tiny-imagenet', method, kind] == same, (method, kind)
    for method in ('kd', 'at', 'dkd', 'crd', 'dist', 'wsld', 'lskd', 'sdd', 'dkd-sdd', 'nkd', 'wttm', 'wkd'):
        for kind in ('ce', 'icc'):
            assert there['in1k', method, kind] >= {'resnet34 resnet18', 'resnet50 mobilenetv1'}, (method, kind)


def one_each():
    """A pair for each method, every time another one, and the rest for the long run."""
    cifar = [path for path in PATHS if split(path)[0] == 'ce' and split(path)[-1] == 'cifar100' and '480e' not in path.stem]
    methods = sorted({split(path)[1] for path in cifar})
    for number, method in enumerate(methods):
        mine = [path for path in cifar if split(path)[1] == method]
        chosen = number * 5 % len(mine)
        for index, path in enumerate(mine):
            marks = () if index == chosen else pytest.mark.slow
            yield pytest.param(path, marks=marks, id=path.stem)


@pytest.mark.parametrize('path', list(one_each()))
def test_a_config_gives_every_loss_a_gradient_in_the_student(path):
    cfg = Config.fromfile(path)
    DefaultScope.overwrite_default_scope('mmpretrain')
    model = MODELS.build(
        {**cfg.model, 'data_preprocessor': cfg.data_preprocessor, 'teacher_ckpt': None, 'allow_random_teacher': True}
    )
    images = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8)
    samples = [DataSample(metainfo=dict(sample_idx=label)).set_gt_label(label) for label in range(4)]
    losses = model.train()(**model.data_preprocessor(dict(inputs=list(images), data_samples=samples), True), mode='loss')
    weights = [weight for weight in model.student.parameters() if weight.requires_grad]
    for name, loss in losses.items():
        if 'distill.loss' in name:
            assert torch.isfinite(loss), name
            found = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
            assert any(gradient is not None and gradient.any() for gradient in found), name
