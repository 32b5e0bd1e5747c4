"""The configs follow the benchmark's protocol, and their names and paths match."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample

from icckd_mm.zoo.architectures import classifier_config
from icckd_mm.zoo.published import PAIRS as FIGURES
from icckd_mm.zoo.published import STUDENTS, TEACHERS, published_top1
from tests.config_reader import read_config
from tests.test_datasets.layouts import image_folder
from tools import list_configs
from tools.dev import make_configs

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs/icckd'
METHODS = ('ce', 'ce-2view', 'icc', 'icc-ft', 'kd', 'icckd-kd', 'icckd-kd-rkd')  # other methods have their own protocols
TRANSFORMERS = ('vit16', 'swin16')  # have an optimizer of their own
PATHS = sorted(
    path
    for path in CONFIGS.glob('*/*.py')
    if path.stem.split('_')[0] in METHODS and path.stem.split('_')[1] not in TRANSFORMERS
)
STUDIED = ('digits', 'multi-view')  # for studies on a CPU, not part of the benchmark
PEERS = {
    'resnet50': 'ResNet50',
    'wrn16-2': 'wrn_16_2',
    'wrn40-1': 'wrn_40_1',
    'wrn40-2': 'wrn_40_2',
    'mobilenetv2': 'MobileNetV2',
    'shufflenetv1': 'ShuffleV1',
    'shufflenetv2': 'ShuffleV2',
}
SAME = 'wrn40-2_wrn16-2 wrn40-2_wrn40-1 resnet56_resnet20 resnet110_resnet20 resnet110_resnet32 resnet32x4_resnet8x4 vgg13_vgg8'
OTHER = (
    'vgg13_mobilenetv2 resnet50_mobilenetv2 resnet50_vgg8 resnet32x4_shufflenetv1 resnet32x4_shufflenetv2 wrn40-2_shufflenetv1'
)
PAIRS = {
    '1xb64_cifar100': f'{SAME} {OTHER}',
    '1xb64_cifar10': SAME,
    '1xb64_tiny-imagenet': SAME,
    '8xb32_in1k': 'resnet34_resnet18 resnet50_mobilenetv2',
}


@pytest.fixture(scope='module')
def loaded():
    return {path: read_config(path) for path in PATHS}


def networks(cfg):
    return [cfg.model.architecture, cfg.model.teacher] if 'teacher' in cfg.model else [cfg.model]


def test_every_pair_of_the_benchmark_has_its_configs():
    expected = set()
    for where, pairs in PAIRS.items():
        for pair in pairs.split():
            teacher, student = pair.split('_')
            expected |= {f'baseline/{method}_{teacher}_{where}.py' for method in ('ce', 'ce-2view')}
            expected |= {f'teacher/{method}_{teacher}_{where}.py' for method in ('icc', 'icc-ft')}
            methods = ('kd_logits', 'icckd-kd_logits', 'icckd-kd-rkd_logits-neck')
            expected |= {f'distill/{method}_{pair}_{where}.py' for method in methods}
            expected |= {f'baseline/ce_{student}_{where}.py'}
    expected |= {'baseline/ce_mobilenetv1_8xb32_in1k.py'}
    for pair in ('resnet34_resnet18', 'resnet50_mobilenetv1'):  # with the published batch
        expected |= {f'distill/{method}_{pair}_8xb64_in1k.py' for method in ('kd_logits', 'icckd-kd_logits')}
    assert {path.relative_to(CONFIGS).as_posix() for path in PATHS if not path.stem.endswith(STUDIED)} == expected


def test_the_files_are_what_the_generator_writes(tmp_path):
    for written in make_configs.main(['--out', str(tmp_path)]):
        name = written.relative_to(tmp_path)
        assert written.read_text() == (ROOT / name).read_text(), f'{name} is stale: run python tools/dev/make_configs.py'


@pytest.mark.parametrize('net', [path.stem for path in sorted((ROOT / 'configs/_base_/models').glob('*.py'))])
def test_networks_are_those_that_peers_checkpoints_fit(net):
    """Same backbone, width and initialisation of the last layer as in the importer's table."""
    ours = Config.fromfile(ROOT / f'configs/_base_/models/{net}.py').to_dict()[net.replace('-', '_')]
    assert (ours['head'].pop('loss'), ours['head'].pop('topk')) == (dict(type='CrossEntropyLoss', loss_weight=1.0), (1,))
    assert ours == classifier_config(PEERS.get(net, net), 100, 'mdistiller')


def test_types_and_scopes_resolve_from_anywhere(loaded):
    """Reliability test 18: of every config."""
    for path, cfg in loaded.items():
        assert cfg.data_preprocessor.type in ('mmpretrain.ClsDataPreprocessor', 'icckd_mm.TwoViewDataPreprocessor'), path
        assert all(net._scope_ == 'mmpretrain' for net in networks(cfg)), path
        assert ('teacher' in cfg.model) == (path.parent.name == 'distill') == (cfg.model._scope_ == 'mmrazor'), path
        assert cfg.val_dataloader.dataset.test_mode, path


def test_the_schedule_is_the_benchmarks(loaded):
    for path, cfg in loaded.items():
        *parts, _, data = path.stem.split('_')
        optimizer = cfg.optim_wrapper.optimizer.to_dict()
        rate, decay, epochs, steps = 0.05, 5e-4, 240, [150, 180, 210]
        if data == 'in1k':
            rate, decay, epochs, steps = (0.2 if '8xb64' in path.stem else 0.1), 1e-4, 100, [30, 60, 90]
        elif data == 'digits':
            epochs, steps = 15, None
        elif data == 'multi-view':
            epochs, steps = 20, None
        elif parts[-1] in ('mobilenetv2', 'shufflenetv1', 'shufflenetv2'):
            rate = 0.01
        if parts[0] == 'icc-ft':
            rate, epochs, steps = 0.05, 20, None
        assert optimizer == dict(type='SGD', lr=rate, momentum=0.9, weight_decay=decay), path
        assert cfg.train_cfg.max_epochs == epochs, path
        if steps is None:
            assert (cfg.param_scheduler.type, cfg.param_scheduler.T_max) == ('CosineAnnealingLR', epochs), path
            assert 'milestones' not in cfg.param_scheduler, path
        else:
            assert (cfg.param_scheduler.milestones, cfg.param_scheduler.gamma) == (steps, 0.1), path
        assert cfg.train_dataloader.batch_size == int(path.stem.split('_')[-2].partition('xb')[2]), path
        assert (cfg.default_hooks.checkpoint.save_best, cfg.default_hooks.checkpoint.max_keep_ckpts) == ('auto', 1), path


def test_data_are_cropped_flipped_and_normalised_as_published(loaded):
    cfg = loaded[CONFIGS / 'teacher/icc_wrn40-2_1xb64_cifar100.py']
    views = cfg.train_dataloader.dataset.pipeline[0]
    assert (views.type, views.num_views) == ('MultiView', 2)
    assert views.transforms == [
        [dict(type='RandomCrop', crop_size=32, padding=4), dict(type='RandomFlip', prob=0.5, direction='horizontal')]
    ]
    plain = loaded[CONFIGS / 'baseline/ce_wrn40-2_1xb64_cifar100.py']
    assert plain.train_dataloader.dataset.pipeline[:-1] == views.transforms[0]
    for one in (cfg, plain):
        mean, std = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)
        assert one.data_preprocessor.mean == pytest.approx([255 * value for value in mean], abs=0.01)
        assert one.data_preprocessor.std == pytest.approx([255 * value for value in std], abs=0.01)
        assert one.data_preprocessor.to_rgb is False


def test_any_image_folder_is_read_by_its_part(tmp_path):
    for split in ('train', 'val'):
        image_folder(tmp_path / split)
    cfg = Config.fromfile(ROOT / 'configs/_base_/datasets/image_folder.py')
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.data_root = str(tmp_path)
        dataset = DATASETS.build(loader.dataset)
        assert dataset.metainfo['classes'] == ('cat', 'dog', 'owl')
        assert dataset[4]['inputs'].shape == (3, 224, 224)
        assert dataset[4]['data_samples'].gt_label.item() == 1


def test_two_views_go_with_the_intra_class_loss(loaded):
    """The control is equal except for the weight."""
    for path, cfg in loaded.items():
        method = path.stem.split('_')[0]
        contrastive = method in ('icc', 'icc-ft', 'ce-2view')
        assert ('MultiView' in str(cfg.train_dataloader.dataset.pipeline)) == contrastive, path
        assert (cfg.data_preprocessor.type == 'icckd_mm.TwoViewDataPreprocessor') == contrastive, path
        assert bool(cfg.get('custom_hooks')) == contrastive, path
        if contrastive:
            assert cfg.custom_hooks[0].loss.loss_weight == (0 if method == 'ce-2view' else 0.02), path


def test_checkpoints_are_the_last_epoch_of_a_config_with_that_network(loaded):
    """A teacher's file is named by the work dir of the config that trains it."""
    stages = {'kd': 'baseline/ce', 'icckd-kd': 'teacher/icc', 'icckd-kd-rkd': 'teacher/icc', 'icc-ft': 'baseline/ce'}
    for path, cfg in loaded.items():
        method = path.stem.split('_')[0]
        checkpoint = cfg.model.get('teacher_ckpt') or cfg.load_from
        assert (checkpoint is not None) == (method in stages), path
        if checkpoint is not None:
            name, epoch = re.fullmatch(r'work_dirs/(.+)/epoch_(\d+)\.pth', checkpoint).groups()
            trained = loaded[CONFIGS / f'{stages[method]}{name[name.index("_") :]}.py']
            assert (CONFIGS / f'{stages[method]}{name[name.index("_") :]}.py').stem == name, path
            assert trained.train_cfg.max_epochs == int(epoch), path
            assert cfg.model.get('teacher', cfg.model) == trained.model, path


def test_soft_labels_and_cross_entropy_share_the_weight(loaded):
    for path, cfg in loaded.items():
        if path.parent.name == 'distill':
            soft = cfg.model.distiller.distill_losses.loss_kl
            expected = (1, 0.5) if path.stem.endswith('in1k') else (4, 0.9)
            assert (soft.tau, soft.loss_weight, soft.reduction) == (*expected, 'batchmean'), path
            assert cfg.model.architecture.head.loss.loss_weight == pytest.approx(1 - soft.loss_weight), path
            assert cfg.val_cfg == dict(type='icckd_mm.DistillValLoop'), path
            relations = {
                name: (loss.loss_weight, loss.with_l2_norm)
                for name, loss in cfg.model.distiller.distill_losses.items()
                if name != 'loss_kl'
            }
            rkd = dict(loss_distance=(25.0, False), loss_angle=(50.0, False)) if 'rkd' in path.name else {}
            assert relations == rkd, path


RELATIVES = ('wrn40-2_wrn16-2', 'resnet32x4_resnet8x4', 'vgg13_vgg8')


@pytest.mark.parametrize('pair', RELATIVES)
@pytest.mark.parametrize('method', ['pckd_logits-neck', 'pckd-4rot_logits-neck', 'ms_backbone', 'ckd_logits', 'mcmi-kd_logits'])
def test_a_relative_on_cifar_gives_a_loss_for_a_batch(method, pair):
    """Built unchanged, with a random teacher: widths, maps and views fit."""
    cfg = Config.fromfile(CONFIGS / f'distill/{method}_{pair}_1xb64_cifar100.py')
    DefaultScope.overwrite_default_scope('mmpretrain')
    model = MODELS.build(
        {**cfg.model, 'data_preprocessor': cfg.data_preprocessor, 'teacher_ckpt': None, 'allow_random_teacher': True}
    )
    images = torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8)
    data = dict(inputs=list(images), data_samples=[DataSample().set_gt_label(label) for label in range(4)])
    losses = model.train()(**model.data_preprocessor(data, True), mode='loss')
    assert sum(name.startswith('distill.loss') for name in losses) == (4 if method.startswith('pckd') else 1)
    assert all(torch.isfinite(loss) for loss in losses.values())
    if not method.startswith('mcmi'):
        icc = Config.fromfile(CONFIGS / f'distill/icckd-{method}_{pair}_1xb64_cifar100.py')
        assert icc.model.pop('teacher_ckpt') == f'work_dirs/icc_{pair.split("_")[0]}_1xb64_cifar100/epoch_240.pth'
        assert cfg.model.pop('teacher_ckpt') == f'work_dirs/ce_{pair.split("_")[0]}_1xb64_cifar100/epoch_240.pth'
        assert icc.model == cfg.model


def test_an_mcmi_teacher_is_finetuned_from_the_ce_teacher():
    for pair in RELATIVES:
        teacher = pair.split('_')[0]
        cfg = Config.fromfile(CONFIGS / f'teacher/mcmi_{teacher}_1xb64_cifar100.py')
        assert (cfg.train_cfg.max_epochs, cfg.param_scheduler.T_max, cfg.optim_wrapper.optimizer.lr) == (20, 20, 0.05)
        assert cfg.model.head.loss == dict(type='icckd_mm.MCMILoss', num_classes=100, kl_weight=0.25)
        assert cfg.load_from == f'work_dirs/ce_{teacher}_1xb64_cifar100/epoch_240.pth'
        student = Config.fromfile(CONFIGS / f'distill/mcmi-kd_logits_{pair}_1xb64_cifar100.py')
        assert student.model.teacher_ckpt == f'work_dirs/mcmi_{teacher}_1xb64_cifar100/epoch_20.pth'


def test_networks_fit_the_data(loaded):
    classes = {'digits': 10, 'multi-view': 10, 'cifar10': 10, 'cifar100': 100, 'tiny-imagenet': 200, 'in1k': 1000}
    for path, cfg in loaded.items():
        data = path.stem.split('_')[-1]
        assert {net.head.num_classes for net in networks(cfg)} == {classes[data]}, path
        if data not in STUDIED:
            for net in networks(cfg):
                if net.backbone.type == 'icckd_mm.CIFARVGG':
                    assert net.backbone.get('pools', 3) == (4 if data == 'tiny-imagenet' else 3), path


def test_every_command_of_the_documentation_names_a_config():
    commands = re.findall(r'python (\S+) (\S+\.py)`', (ROOT / 'docs/benchmark_table.md').read_text())
    assert {script for script, _ in commands} == {'tools/train.py'}
    named = {config for _, config in commands}
    assert named == {path.relative_to(ROOT).as_posix() for path in PATHS if path.stem.endswith('cifar100')}


def test_published_figures_are_complete_and_found():
    assert FIGURES['cifar100']['kd'].keys() == {tuple(pair.split('_')) for pair in PAIRS['1xb64_cifar100'].split()}
    assert {teacher for teacher, _ in FIGURES['cifar100']['kd']} == TEACHERS['cifar100'].keys()
    assert {student for _, student in FIGURES['cifar100']['kd']} == STUDENTS['cifar100'].keys()
    assert published_top1('cifar100', 'ce', 'vgg13', '') == 74.64
    assert published_top1('cifar100', 'ce', '', 'vgg8') == 70.36
    assert published_top1('cifar100', 'icckd-kd', 'vgg13', 'vgg8') is None
    assert published_top1('cifar10', 'kd', 'vgg13', 'vgg8') is None
    same = {tuple(pair.split('_')) for pair in SAME.split()}
    assert FIGURES['cifar100']['ckd-480e'].keys() == FIGURES['cifar100']['pckd-4rot'].keys() == same
    assert published_top1('cifar100', 'dkd', 'resnet32x4', 'resnet8x4') == 76.32
    assert published_top1('in1k', 'wkd-wkd-f', 'resnet50', 'mobilenetv1') == 73.69
    assert published_top1('cifar100', 'ckd-480e', 'vgg13', 'vgg8') == 74.86
    assert published_top1('cifar100', 'ckd', 'vgg13', 'vgg8') is None  # 240 epochs are ours
    assert published_top1('cifar100', 'pckd-4rot', 'wrn40-2', 'wrn16-2') == 76.97
    assert published_top1('cifar100', 'pckd', 'wrn40-2', 'wrn16-2') is None  # one view is ours


def test_list_shows_every_config_once_with_its_figure(capsys):
    shown = list_configs.main([])
    assert sorted(one.config for one in shown) == sorted(path.relative_to(ROOT).as_posix() for path in CONFIGS.glob('*/*.py'))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(shown) + 1
    (line,) = [line for line in lines if 'distill/kd_logits_vgg13_vgg8_1xb64_cifar100.py' in line]
    assert line.split()[:5] == ['cifar100', 'vgg13', 'vgg8', 'kd', '72.98']


def test_list_filters(capsys):
    shown = list_configs.main(['--data', 'cifar100', '--method', 'ce', 'kd', '--net', 'vgg8'])
    assert [(one.teacher, one.student, one.method, one.published) for one in shown] == [
        ('-', 'vgg8', 'ce', '70.36'),
        ('resnet50', 'vgg8', 'kd', '73.81'),
        ('vgg13', 'vgg8', 'kd', '72.98'),
    ]
    with pytest.raises(ValueError, match='--data cifar: no config has it; there are cifar10, cifar100'):
        list_configs.main(['--data', 'cifar'])


def test_list_shows_the_methods_of_a_pair_with_their_figures():
    shown = list_configs.main(['--data', 'cifar100', '--pair', 'resnet32x4', 'resnet8x4', '--method', 'dkd', 'fitnet', 'crd'])
    assert [(one.method, one.published) for one in shown] == [('crd', '75.51'), ('dkd', '76.32'), ('fitnet', '73.50')]
    with pytest.raises(ValueError, match='--pair vgg8 vgg13: no config has it; there are resnet110 resnet20, '):
        list_configs.main(['--pair', 'vgg8', 'vgg13'])
