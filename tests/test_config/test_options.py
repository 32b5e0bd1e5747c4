"""``--cfg-options``: known keys are merged, keys that nothing reads are refused."""

from pathlib import Path

import pytest
from mmengine.config import Config

from icckd_mm.config.options import apply_options

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = {
    'teacher': 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py',
    'student': 'configs/icckd/distill/icckd-kd_logits_resnet20_resnet8_1xb64_digits.py',
}
LEGAL = [
    {'load_from': 'x.pth'},
    {'resume': True},
    {'work_dir': 'x'},
    {'experiment_name': 'x'},
    {'compile': True},
    {'find_unused_parameters': True},
    {'randomness.seed': 3, 'randomness.diff_rank_seed': True},
    {'train_dataloader.drop_last': True, 'train_dataloader.num_batch_per_epoch': 2},
    {'train_dataloader.dataset.indices': 3},
    {'train_dataloader.sampler.seed': 3},
    {'train_cfg.val_begin': 3},
    {'optim_wrapper.clip_grad.max_norm': 3},
    {'optim_wrapper.accumulative_counts': 2},
    {'optim_wrapper.optimizer.nesterov': True},
    {'optim_wrapper.paramwise_cfg.norm_decay_mult': 0.0},
    {'env_cfg.dist_cfg.backend': 'gloo'},
    {'val_evaluator.topk': [1, 5]},
    {'auto_scale_lr.enable': True},
    {'visualizer.vis_backends.0.save_dir': 'x'},
    {'log_processor.window_size': 5},
    {'param_scheduler': [dict(type='LinearLR', end=2), dict(type='CosineAnnealingLR', T_max=8, begin=2)]},  # one before
    {'default_hooks.checkpoint.interval': 5},
    {'default_hooks.ema.type': 'EMAHook', 'default_hooks.ema.momentum': 0.1},
    {'model.init_cfg.type': 'Pretrained', 'model.init_cfg.checkpoint': 'x.pth'},
]
LEGAL_TEACHER = [
    {'custom_hooks.0.priority': 'LOW', 'custom_hooks.0.begin': 2, 'custom_hooks.0.loss.temperature': 0.2},
    {'model.train_cfg.augments.type': 'Mixup', 'model.train_cfg.augments.alpha': 0.1},
    {'train_dataloader.dataset.pipeline.0.num_views': 3},
    {'model.head.loss.label_smooth_val': 0.1, 'model.head.loss.type': 'LabelSmoothLoss'},  # an argument of the new type
]
LEGAL_STUDENT = [
    {'model.teacher_ckpt': 'x.pth'},
    {'model.distiller.distill_losses.loss_kl.tau': 3},
    {
        'model.distiller.distill_losses.loss_l2.type': 'mmrazor.L2Loss',
        'model.distiller.distill_losses.loss_l2.loss_weight': 0.5,
    },
]


@pytest.mark.parametrize(
    ('base', 'options'),
    [(base, one) for base, own in (('teacher', LEGAL_TEACHER), ('student', LEGAL_STUDENT)) for one in (*LEGAL, *own)],
)
def test_legal_options_are_merged(base, options):
    cfg = Config.fromfile(ROOT / CONFIGS[base])
    apply_options(cfg, options)
    for key, value in options.items():
        node = cfg
        for part in key.split('.'):
            node = node[int(part)] if part.isdigit() else node[part]
        assert node == value


def test_a_mistake_among_options_leaves_the_config_as_it_was():
    cfg = Config.fromfile(ROOT / CONFIGS['teacher'])
    before = cfg.pretty_text
    with pytest.raises(ValueError, match=r'--cfg-options train_cfg.max_epoch: .* did you mean max_epochs\?'):
        apply_options(cfg, {'load_from': 'x.pth', 'train_cfg.max_epoch': 2})
    assert cfg.pretty_text == before


@pytest.mark.parametrize('value', [[], [5], [dict(type='LinearLR'), 5]])
def test_a_dict_may_become_a_list_of_dicts_and_no_other_list(value):
    cfg = Config.fromfile(ROOT / CONFIGS['teacher'])
    with pytest.raises(ValueError, match=r'--cfg-options param_scheduler: .* cannot replace a dict'):
        apply_options(cfg, {'param_scheduler': value})


def test_the_dicts_of_a_new_list_are_checked():
    cfg = Config.fromfile(ROOT / CONFIGS['teacher'])
    with pytest.raises(ValueError, match=r'param_scheduler.0.ende: LinearLR has no argument ende'):
        apply_options(cfg, {'param_scheduler': [dict(type='LinearLR', ende=2)]})


def test_the_value_of_an_option_is_checked_too():
    cfg = Config.fromfile(ROOT / CONFIGS['teacher'])
    with pytest.raises(ValueError, match=r'model.backbone: there is no type icckd_mm.CIFARResnt in the scope mmpretrain'):
        apply_options(cfg, {'model.backbone.type': 'icckd_mm.CIFARResnt'})


@pytest.mark.parametrize(
    ('argument', 'message'),
    [('label_smooth_value', r'did you mean label_smooth_val\?'), ('use_soft', 'LabelSmoothLoss has no argument use_soft')],
)
def test_arguments_are_those_of_the_type_that_the_options_set(argument, message):
    cfg = Config.fromfile(ROOT / CONFIGS['teacher'])
    with pytest.raises(ValueError, match=message):
        apply_options(cfg, {f'model.head.loss.{argument}': 0.1, 'model.head.loss.type': 'LabelSmoothLoss'})


COPIED = {
    'resnet8.backbone.depth': ('student', 'set model.architecture.backbone.depth'),
    'resnet20.head': ('student', 'set model.teacher.head'),
    'train_pipeline.0.num_views': ('teacher', 'set train_dataloader.dataset.pipeline.0.num_views'),
}


@pytest.mark.parametrize('key', COPIED)
def test_a_variable_that_was_copied_when_the_file_was_read_is_refused_with_the_place_that_is_read(key):
    base, message = COPIED[key]
    with pytest.raises(ValueError, match=f'{key} has no effect: .* {message}'):
        apply_options(Config.fromfile(ROOT / CONFIGS[base]), {key: 3})


def test_the_preprocessor_of_a_model_that_has_its_own_is_refused():
    cfg = Config.fromfile(ROOT / CONFIGS['student'])
    apply_options(cfg, {'data_preprocessor.mean': [1, 2, 3]})
    assert cfg.data_preprocessor.mean == [1, 2, 3]
    cfg.model.data_preprocessor = dict(type='mmpretrain.ClsDataPreprocessor')
    with pytest.raises(ValueError, match=r'the model has its own; set model.data_preprocessor.mean'):
        apply_options(cfg, {'data_preprocessor.mean': [4, 5, 6]})


@pytest.mark.parametrize(
    ('options', 'root'),
    [
        ({'val_dataloader.dataset.data_root': 'mine'}, 'mine'),
        ({'val_dataloader.dataset.data_root': 'mine', 'test_dataloader.dataset.data_root': 'other'}, 'other'),
        ({'train_dataloader.dataset.data_root': 'mine'}, 'data/images'),
        ({'val_dataloader.dataset.data_prefix': 'part'}, 'data/images'),
    ],
)
def test_the_test_set_follows_the_validation_set(options, root):
    cfg = Config.fromfile(ROOT / 'configs/_base_/datasets/image_folder.py')
    cfg.model = dict(type='ImageClassifier', backbone=dict(type='ResNet', depth=18))
    cfg.default_scope = 'mmpretrain'
    apply_options(cfg, options)
    assert cfg.test_dataloader.dataset.data_root == root
    assert cfg.test_dataloader.dataset.data_prefix == 'val'


def test_a_test_set_of_its_own_does_not_follow():
    cfg = Config.fromfile(ROOT / 'configs/_base_/datasets/image_folder.py')
    cfg.model = dict(type='ImageClassifier', backbone=dict(type='ResNet', depth=18))
    cfg.default_scope, cfg.test_dataloader.dataset.data_root = 'mmpretrain', 'held_out'
    apply_options(cfg, {'val_dataloader.dataset.data_root': 'mine'})
    assert cfg.test_dataloader.dataset.data_root == 'held_out'
