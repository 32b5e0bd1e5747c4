"""Distillers in two stages, overhaul and self-distillation on the digits: real runs, each from a real ICC teacher."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import MODELS
from mmengine.runner import Runner

from icckd_mm.config.command_line import set_loader_defaults
from tests.helpers import state

ROOT = Path(__file__).resolve().parents[2] / 'configs'
PAIRS = {'resnet20': 'resnet8', 'wrn40-2': 'wrn16-2', 'vgg13': 'vgg8'}
# modules below the compared layers
BELOW = {
    'resnet20': ('conv1 bn1 layer1', 'layer2', 'layer3'),
    'wrn40-2': ('conv1 layer1 layer2', 'layer3', 'bn1'),
    'vgg13': ('layer1 layer2', 'layer3', 'layer4', 'layer5'),
}
EXITS = {
    'resnet8': ('conv1 bn1 layer1', 'layer2'),
    'wrn16-2': ('conv1 layer1 layer2', 'layer3'),
    'vgg8': ('layer1 layer2', 'layer3'),
}


def config(method, net='resnet20'):
    return f'{method}_{net}_{PAIRS[net]}_1xb64_digits'


AB_PRETRAIN, AB = 'icckd-ab-pretrain_backbone', 'icckd-ab_logits'
FT_PRETRAIN, FT = 'icckd-ft-pretrain_backbone', 'icckd-ft_backbone'
OFD = 'icckd-kd-ofd_backbone'


def first_layers(net):
    """All modules below the first, the second and the third layer."""
    names = [set(part.split()) for part in net]
    return [set().union(*names[: index + 1]) for index in range(len(names))]


class Start(Hook):
    """The weights before the first step, and where each distillation loss of that step has a gradient."""

    def before_train(self, runner):
        self.state = state(runner.model)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 0 and hasattr(runner.model, 'distiller'):
            data = runner.model.data_preprocessor(data_batch, True)
            losses = runner.model(**data, mode='loss')
            self.losses = {name[8:]: loss for name, loss in losses.items() if name.startswith('distill.')}
            named = {name: value for name, value in runner.model.named_parameters() if value.requires_grad}
            self.reached = {name: reached(loss, named) for name, loss in self.losses.items()}

    def of_student(self, loss):
        return {name for name in self.reached[loss] if name.startswith('architecture.')}


def reached(loss, parameters):
    gradients = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, allow_unused=True)
    return {name for name, gradient in zip(parameters, gradients) if gradient is not None and gradient.abs().sum() > 0}


def trained(cfg, folder, validate=False, **options):
    """Train for an epoch; return the runner and its initial weights."""
    cfg = Config.fromfile(ROOT / cfg) if isinstance(cfg, str) else cfg
    set_loader_defaults(cfg, ['train_dataloader'], pin_memory=False, persistent_workers=False)
    cfg.merge_from_dict(
        {
            'work_dir': str(folder),
            'train_cfg.max_epochs': 1,
            'train_dataloader.dataset.indices': 128,
            'train_dataloader.batch_size': 32,
            'log_level': 'ERROR',
            'experiment_name': f'stages-{folder}',
            **options,
        }
    )
    if not validate:
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
        cfg.default_hooks.checkpoint.save_best = None
    runner, start = Runner.from_cfg(cfg), Start()
    runner.register_hook(start)
    runner.train()
    assert all(torch.isfinite(value).all() for value in runner.model.state_dict().values())
    return runner, start


def student(method, folder, **options):
    return trained(f'icckd/distill/{method}.py', folder, **options)


def saved(folder):
    return torch.load(folder / 'epoch_1.pth', weights_only=True)['state_dict']


def part(weights, prefix):
    return {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}


def changed(first, second):
    return {name for name in first if not torch.equal(first[name], second[name])}


@pytest.fixture(scope='module')
def teachers(tmp_path_factory):
    """An ICC teacher of each architecture."""
    paths = {}
    for net in PAIRS:
        folder = tmp_path_factory.mktemp(net)
        cfg = Config.fromfile(ROOT / 'icckd/teacher/icc_resnet20_1xb64_digits.py')
        cfg.model = Config.fromfile(ROOT / f'_base_/models/{net}.py')[net.replace('-', '_')]
        cfg.model.head.num_classes = 10
        trained(cfg, folder)
        paths[net] = str(folder / 'epoch_1.pth')
    return paths


@pytest.mark.parametrize('net', PAIRS)
def test_activation_boundaries_hand_the_student_over(net, teachers, tmp_path):
    ckpt = {'model.teacher_ckpt': teachers[net]}
    first, start = student(config(AB_PRETRAIN, net), tmp_path / 'first', **ckpt)
    assert set(start.losses) == {f'loss_ab{index}' for index, _ in enumerate(BELOW[net], 1)}
    assert all(torch.isfinite(loss) for loss in start.losses.values())
    for index, below in enumerate(first_layers(BELOW[net]), 1):  # a boundary teaches its own stage and those before
        assert {name.split('.')[2] for name in start.of_student(f'loss_ab{index}')} == below
    learned = saved(tmp_path / 'first')
    moved = changed(part(start.state, 'architecture.'), part(learned, 'architecture.'))
    assert any(name.startswith('backbone.layer3') and name.endswith('weight') for name in moved)
    assert not any(name.startswith('head.') for name in moved)
    assert not part(learned, 'teacher.')

    second, start = student(
        config(AB, net), tmp_path / 'second', **{'model.init_cfg.checkpoint': str(tmp_path / 'first/epoch_1.pth')}
    )
    assert type(second.model).__name__ == 'ImageClassifier'  # labels alone
    assert start.state.keys() == part(learned, 'architecture.').keys()
    assert not changed(start.state, part(learned, 'architecture.'))
    assert 'head.fc.weight' in changed(start.state, saved(tmp_path / 'second'))
    assert not changed(state(first.model.teacher), torch.load(teachers[net], weights_only=True)['state_dict'])


@pytest.mark.parametrize('net', ['resnet20', 'wrn40-2', pytest.param('vgg13', marks=pytest.mark.slow)])
def test_factor_transfer_hands_the_paraphraser_over(net, teachers, tmp_path):
    ckpt = {'model.teacher_ckpt': teachers[net]}
    _, start = student(config(FT_PRETRAIN, net), tmp_path / 'first', **ckpt)
    assert set(start.losses) == {'loss_rebuild'}
    assert torch.isfinite(start.losses['loss_rebuild'])
    assert start.reached['loss_rebuild'] == {name for name in start.state if name.startswith('distiller.')}
    learned = saved(tmp_path / 'first')
    prefix = 'distiller.connectors.paraphraser.'
    assert changed(part(start.state, prefix), part(learned, prefix)) == part(learned, prefix).keys()
    moved = changed(part(start.state, 'architecture.'), part(learned, 'architecture.'))
    assert all('running' in name or 'num_batches' in name for name in moved)  # the student is not trained

    options = {**ckpt, 'model.distiller.init_cfg.checkpoint': str(tmp_path / 'first/epoch_1.pth')}
    _, start = student(config(FT, net), tmp_path / 'second', **options)
    assert not changed(part(learned, prefix), part(start.state, prefix))
    assert torch.isfinite(start.losses['loss_ft'])
    assert any(name.startswith('architecture.backbone.layer1') for name in start.of_student('loss_ft'))
    assert not any(name.startswith(prefix) for name in start.reached['loss_ft'])
    end = saved(tmp_path / 'second')
    assert not changed(part(learned, prefix), part(end, prefix))
    assert 'distiller.connectors.translator.encoder.0.weight' in changed(start.state, end)


def test_the_paraphraser_learns_at_its_learning_rate(teachers, tmp_path):
    options = {'train_cfg.max_epochs': 3, 'train_dataloader.dataset.indices': 1437, 'train_dataloader.batch_size': 64}
    runner, start = student(config(FT_PRETRAIN), tmp_path / 'first', **options, **{'model.teacher_ckpt': teachers['resnet20']})
    end = runner.message_hub.get_scalar('train/distill.loss_rebuild').current()
    assert end < 0.9 * start.losses['loss_rebuild'].item()


@pytest.mark.parametrize('net', PAIRS)
@pytest.mark.parametrize(('method', 'pretrain'), [(AB, AB_PRETRAIN), (FT, FT_PRETRAIN)])
def test_the_second_stage_asks_for_what_the_first_writes(method, pretrain, net):
    method, file = config(method, net), config(pretrain, net)
    first, second = (Config.fromfile(ROOT / f'icckd/distill/{name}.py') for name in (file, method))
    given = second.model.get('init_cfg') or second.model.distiller.init_cfg
    assert given.checkpoint == f'work_dirs/{file}/epoch_{first.train_cfg.max_epochs}.pth'
    assert second.model.get('teacher_ckpt') in (first.model.teacher_ckpt, None)
    assert first.default_hooks.checkpoint.save_best is None


def test_a_second_stage_without_the_first_stops(teachers, tmp_path):
    with pytest.raises(FileNotFoundError):
        student(config(AB), tmp_path / 'none')
    options = {'model.teacher_ckpt': teachers['resnet20'], 'model.distiller.init_cfg.checkpoint': teachers['resnet20']}
    with pytest.raises(AssertionError, match=r'distiller\. is not in the pretrained model'):  # a file of another kind
        student(config(FT), tmp_path / 'wrong', **options)


@pytest.mark.parametrize('net', PAIRS)
def test_overhaul_has_the_margins_of_the_trained_teacher(net, teachers, tmp_path):
    runner, start = student(config(OFD, net), tmp_path / net, **{'model.teacher_ckpt': teachers[net]})
    model, distiller = runner.model, runner.model.distiller
    assert not changed(state(model.teacher), torch.load(teachers[net], weights_only=True)['state_dict'])
    for index, _ in enumerate(BELOW[net], 1):
        assert torch.isfinite(start.losses[f'loss_ofd{index}'])
        assert any(name.endswith('conv1.weight') for name in start.of_student(f'loss_ofd{index}'))
        recorder = distiller.teacher_recorders.get_recorder(f'preact{index}')
        norm = model.teacher.get_submodule(distiller.connectors[f'ofd_margin{index}'].norm)
        grid = torch.linspace(-8, 8, 200001, dtype=torch.float64)  # standard deviations
        for channel, margin in enumerate(distiller.connectors[f'ofd_margin{index}'].margin.flatten().tolist()):
            values = norm.bias[channel].item() + abs(norm.weight[channel].item()) * grid
            density = torch.exp(-grid.square() / 2) * (values < 0)
            assert margin == pytest.approx(float((values * density).sum() / density.sum()), rel=1e-3)
        assert recorder.get_record_data().min() < 0  # before the ReLU, and the margin has not been written into it


def test_overhaul_refuses_a_wrong_teacher_and_another_distiller(teachers):
    cfg = Config.fromfile(ROOT / f'icckd/distill/{config(OFD)}.py')
    with pytest.raises(ValueError, match='missing: '):
        MODELS.build({**cfg.model, 'teacher_ckpt': teachers['vgg13']})
    with pytest.raises(ValueError, match='the teacher has no weights'):
        MODELS.build({**cfg.model, 'teacher_ckpt': None})
    with pytest.raises(ValueError, match=r"needs distiller.type='OFDDistiller', got ConfigurableDistiller"):
        MODELS.build({**cfg.model, 'teacher_ckpt': teachers['resnet20'], 'type': 'icckd_mm.OverhaulFeatureDistillation'})


@pytest.mark.parametrize('net', EXITS)
def test_self_distillation_compares_each_image_with_itself(net, tmp_path):
    runner, start = student(f'byot_backbone_{net}_1xb64_digits', tmp_path / 'byot', validate=True)
    assert all(torch.isfinite(loss) for loss in start.losses.values())
    for name in start.losses:  # the deepest stage is the teacher and learns nothing from them
        assert {key.split('.')[2] for key in start.of_student(name)} == first_layers(EXITS[net])[int(name[-1]) - 1], name
    distiller = runner.model.distiller
    distance = distiller.distill_losses['loss_features1']
    width = runner.model.architecture.head.in_channels
    rows, maps = torch.randn(32, width), torch.randn(32, width, 1, 1)
    assert distance(rows, maps).item() == pytest.approx(0.03 * (rows - maps[:, :, 0, 0]).norm().item(), rel=1e-5)
    assert list(tmp_path.glob('byot/best_accuracy_top1_epoch_1.pth'))  # save_best finds the student's metric
