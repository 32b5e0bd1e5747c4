import copy
import json

import pytest
import torch
from mmengine.hooks import Hook
from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample

from icckd_mm.datasets.class_names import check_labels
from icckd_mm.functional import intra_class_contrastive_loss
from icckd_mm.teacher import IntraClassContrastHook
from icckd_mm.teacher.hook import ramp
from icckd_mm.teacher.step import class_labels
from tests.helpers import CONV, HEAD, ICC, RESNET, Outputs, build, equal, state, train

VIT = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer',
        arch=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32),
        img_size=8,
        patch_size=4,
    ),
    head=dict(type='VisionTransformerClsHead', in_channels=16, hidden_dim=12, num_classes=10),
)
NETS = {
    'resnet': (RESNET, 8, 32),
    'wrn': (
        {
            **CONV,
            'backbone': dict(type='icckd_mm.CIFARWideResNet', depth=10, widen_factor=1),
            'head': dict(type='LinearClsHead', in_channels=64, **HEAD),
        },
        8,
        64,
    ),
    'mobilenet': (
        {
            **CONV,
            'backbone': dict(type='MobileNetV2', widen_factor=0.25),
            'head': dict(type='LinearClsHead', in_channels=1280, **HEAD),
        },
        32,
        1280,
    ),
    'vgg, pooled': (
        {
            **CONV,
            'backbone': dict(type='VGG', depth=11, norm_cfg=dict(type='BN')),
            'head': dict(type='LinearClsHead', in_channels=512, **HEAD),
        },
        32,
        512,
    ),
    'stacked': (
        {
            **CONV,
            'head': dict(
                type='StackedLinearClsHead', in_channels=8, mid_channels=[6], norm_cfg=dict(type='BN1d'), num_classes=10
            ),
        },
        8,
        6,
    ),
    'vit': (VIT, 8, 12),
}


def icc(**options):
    return {**ICC, **options}


@pytest.mark.parametrize('second_view', ['grad', 'no_grad'])
@pytest.mark.parametrize('net', NETS)
def test_trains_any_classifier(net, second_view, tmp_path):
    model, scale, width = NETS[net]
    runner, steps = train(tmp_path, model, hooks=[icc(second_view=second_view)], scale=scale, batch=12, images=24)
    loss = runner.model.icc_loss
    assert loss.queue.queue.shape == (10, 4, width)
    assert loss.queue.filled.sum() > 0
    assert all(0 <= step['loss_icc'] < 1 for step in steps)
    assert max(step['loss_icc'] for step in steps) > 0


def test_a_head_that_takes_labels_trains_with_view_2_without_gradient(tmp_path):
    model = {**CONV, 'head': dict(type='ArcFaceClsHead', in_channels=8, num_classes=10)}
    _, steps = train(tmp_path, model, hooks=[icc(second_view='no_grad')])
    assert steps[0]['loss_icc'] > 0


@pytest.mark.slow
def test_trains_stock_vgg_whose_classifier_is_in_the_backbone(tmp_path):
    model = dict(type='ImageClassifier', backbone=dict(type='VGG', depth=11, num_classes=10), head=dict(type='ClsHead'))
    runner, steps = train(tmp_path, model, scale=224, batch=2, images=2)
    assert runner.model.icc_loss.queue.feat_dims == 4096
    assert steps[0]['loss_icc'] >= 0


@pytest.mark.parametrize(('second_view', 'ce_views'), [('grad', 'first'), ('grad', 'both'), ('no_grad', 'first')])
def test_the_losses_are_those_of_the_formula(second_view, ce_views, tmp_path):
    """One step against a plain transcription: forward of both views, cross-entropy, intra-class loss."""
    seen = {}

    class Watch(Hook):
        priority = 'LOW'

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            seen.setdefault('model', copy.deepcopy(runner.model.state_dict()))
            seen.setdefault('batch', copy.deepcopy(data_batch))

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            seen.setdefault('after', runner.model.backbone.conv1.weight.detach().clone())

    _, steps = train(tmp_path, hooks=[icc(second_view=second_view, ce_views=ce_views), Watch()])
    twin = build(tmp_path / 'twin', hooks=[]).model
    twin.load_state_dict({k: v for k, v in seen['model'].items() if not k.startswith('icc_loss')})
    data = twin.train().data_preprocessor(seen['batch'], True)
    labels = torch.cat([sample.gt_label for sample in data['data_samples']])
    if second_view == 'grad':
        features = twin.extract_feat(data['inputs'])[-1]
        first, second = features.chunk(2)
    else:
        first, second = (twin.extract_feat(view)[-1] for view in data['inputs'].chunk(2))
        second = second.detach()
    seen_by_ce, targets = (features, labels.repeat(2)) if ce_views == 'both' else (first, labels)
    ce = torch.nn.functional.cross_entropy(twin.head.fc(seen_by_ce), targets)
    contrast = 0.02 * intra_class_contrastive_loss(first, second, labels)
    assert steps[0]['loss_icc'] == pytest.approx(contrast.item(), rel=1e-5)
    assert steps[0]['loss'] == pytest.approx(ce.item(), rel=1e-5)  # mmengine logs the head's own under this name
    (ce + contrast).backward()
    stepped = twin.backbone.conv1.weight - 0.01 * twin.backbone.conv1.weight.grad
    torch.testing.assert_close(seen['after'], stepped.detach())


def test_batch_norm_sees_one_batch_of_both_views_or_only_the_first(tmp_path):
    """'grad': statistics of 2N once a step; 'no_grad': exactly those of single-view training (lambda 0, lr 0)."""
    still = dict(optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)))
    both, _ = train(tmp_path / 'a', hooks=[icc()], **still)
    first, _ = train(tmp_path / 'b', hooks=[icc(second_view='no_grad')], **still)
    norms = [runner.model.backbone.bn1 for runner in (both, first)]
    assert [int(norm.num_batches_tracked) for norm in norms] == [4, 4]
    assert not torch.equal(norms[0].running_mean, norms[1].running_mean)

    batches = []

    class Keep(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            batches.append(copy.deepcopy(data_batch))

    third, _ = train(tmp_path / 'c', hooks=[icc(second_view='no_grad'), Keep()], **still)
    plain = build(tmp_path / 'd', hooks=[]).model
    plain.init_weights()
    plain.load_state_dict(
        {k: v for k, v in third.model.state_dict().items() if 'running' not in k and 'icc' not in k}, strict=False
    )
    plain.train()
    for batch in batches:
        views = plain.data_preprocessor(batch, True)['inputs']
        plain.extract_feat(views[: len(views) // 2])
    torch.testing.assert_close(plain.backbone.bn1.running_mean, third.model.backbone.bn1.running_mean)
    torch.testing.assert_close(plain.backbone.bn1.running_var, third.model.backbone.bn1.running_var)
    assert all(norm.track_running_stats for norm in third.model.modules() if hasattr(norm, 'track_running_stats'))


def test_the_plain_training_is_untouched_but_for_the_loss(tmp_path):
    """With lambda = 0 and view 2 without gradient, the weights are those of training without the hook on view 1."""
    zero = icc(second_view='no_grad', loss={**ICC['loss'], 'loss_weight': 0.0})
    hooked, steps = train(tmp_path / 'a', hooks=[zero])
    assert all(step['loss_icc'] == 0 for step in steps)

    class FirstView(Hook):
        """Trains on view 1 of the same two-view batches, without our hook."""

        priority = 'VERY_HIGH'

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            data_batch['inputs'] = data_batch['inputs'][0]

    plain, _ = train(tmp_path / 'b', hooks=[FirstView()])
    ours = {k: v for k, v in hooked.model.state_dict().items() if not k.startswith('icc_loss')}
    assert equal(ours, plain.model.state_dict())


def test_ramp():
    assert [ramp(t, 2, 4) for t in (0, 1.99, 2, 3, 5, 6, 9)] == [0, 0, 0, 0.25, 0.75, 1, 1]
    assert [ramp(t, 2, 0) for t in (1.9, 2, 3)] == [0, 1, 1]


@pytest.mark.parametrize(
    ('options', 'weights'),
    [
        (dict(begin=1), [0, 0, 0, 0, 1, 1, 1, 1]),
        (dict(warmup=1.5), [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1]),
        (dict(begin=2, warmup=4, by_epoch=False), [0, 0, 0, 0.25, 0.5, 0.75, 1, 1]),
    ],
    ids=str,
)
def test_the_weight_rises_with_the_runners_counters(options, weights, tmp_path):
    full = train(tmp_path / 'a', epochs=2, optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)))[1]
    steps = train(tmp_path / 'b', hooks=[icc(**options)], epochs=2, optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)))[1]
    assert [s['loss_icc'] for s in steps] == pytest.approx([w * f['loss_icc'] for w, f in zip(weights, full)], rel=1e-4)


def test_resume_restores_queue_pointers_and_counters_to_the_bit(tmp_path):
    runner, _ = train(tmp_path, hooks=[icc(begin=1, warmup=2)])
    saved = state(runner.model.icc_loss)
    seen = {}

    class Watch(Hook):
        def before_train(self, runner):
            seen.update(state(runner.model.icc_loss), epoch=runner.epoch, iter=runner.iter)

    resumed, steps = train(tmp_path, hooks=[icc(begin=1, warmup=2), Watch()], epochs=2, resume=True)
    assert (seen.pop('epoch'), seen.pop('iter')) == (1, 4)
    assert equal(seen, saved)
    assert steps[0]['loss_icc'] == 0 < steps[1]['loss_icc']
    assert resumed.iter == 8


def test_the_statistics_are_logged_every_log_interval(tmp_path):
    runner, _ = train(tmp_path, hooks=[icc(log_interval=2)])
    for name in ('icc_intra_cos', 'icc_inter_cos', 'icc_ratio', 'icc_fill'):
        assert len(runner.message_hub.get_scalar(f'train/{name}').data[0]) == 2
    assert runner.message_hub.get_scalar('train/icc_fill').current() == pytest.approx(
        float((runner.model.icc_loss.queue.filled / 4).mean())
    )
    assert runner.message_hub.get_scalar('train/icc_pass').current() == 1.0


def test_a_line_of_the_log_is_of_one_window_and_of_the_queue_of_its_iteration(tmp_path):
    """Three lines: after two iterations, after four, and at the end of an epoch of five. log_interval hits none of them."""
    hook = icc(log_interval=1000, loss={**ICC['loss'], 'margin': 0.0})
    fills = []

    class Watch(Hook):
        priority = 'LOWEST'

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            fills.append(float((runner.model.icc_loss.queue.filled / 4).mean()))

    options = dict(images=40, log_processor=dict(window_size=3), optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)))
    logger = dict(logger=dict(type='LoggerHook', interval=2, ignore_last=False))
    _, steps = train(tmp_path, hooks=[hook, Watch()], default_hooks=logger, **options)
    (file,) = tmp_path.glob('*/vis_data/scalars.json')
    lines = [line for line in map(json.loads, file.read_text().splitlines()) if 'loss_icc' in line]
    assert [line['step'] for line in lines] == [2, 4, 5]
    assert len({step['icc_pass'] for step in steps}) > 1
    for line in lines:
        window = steps[max(line['step'] - 3, 0) : line['step']]
        for name in ('loss_icc', 'icc_pass'):
            assert line[name] == pytest.approx(sum(step[name] for step in window) / len(window), rel=1e-5)
        assert line['icc_fill'] == pytest.approx(fills[line['step'] - 1])


def test_validation_sees_single_views_and_does_not_enqueue(tmp_path):
    runner, _ = train(tmp_path, validate=True)
    queue = state(runner.model.icc_loss)
    accuracy = runner.val()
    assert equal(queue, state(runner.model.icc_loss))
    plain = build(tmp_path / 'plain', views=1, hooks=[], validate=True, load_from=str(tmp_path / 'epoch_1.pth'))
    assert plain.val() == accuracy


def test_attaches_for_test_so_that_the_keys_match(tmp_path):
    trained, _ = train(tmp_path, validate=True)
    tested = build(tmp_path / 'test', validate=True, load_from=str(tmp_path / 'epoch_1.pth'))
    tested.test()
    assert equal(state(tested.model), state(trained.model))


def test_works_beside_ema_accumulation_and_compile(tmp_path):
    """The EMA copy has the same buffers; gradients accumulate; a compiled step (eager backend) gives the same losses."""
    plain = train(tmp_path / 'plain')[1]
    ema, steps = train(tmp_path / 'ema', hooks=[icc(), dict(type='EMAHook')], validate=True)
    assert steps == plain
    assert 'icc_loss.queue.queue' in dict(ema.model.named_buffers())
    train(tmp_path / 'accumulate', optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01), accumulative_counts=2))
    torch._dynamo.reset()
    compiled = train(tmp_path / 'compiled', compile=dict(backend='eager'))[1]
    for ours, theirs in zip(compiled, plain):
        assert ours == pytest.approx(theirs, rel=1e-4)
    torch._dynamo.reset()


def test_named_modules_override_what_is_found(tmp_path):
    found = train(tmp_path / 'a')[1]
    named = train(tmp_path / 'b', hooks=[icc(features='neck', logits='head.fc')])[1]
    assert named == found


def test_the_model_can_still_be_copied(tmp_path):
    runner, _ = train(tmp_path)
    twin = copy.deepcopy(runner.model)
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(twin.eval()(images), runner.model.eval()(images))


def test_a_run_draws_the_same_augmentations_with_and_without_the_hook(tmp_path):
    """Looking at a sample before training must not move the random state."""
    batches = {}

    class Keep(Hook):
        def __init__(self, name):
            self.name = name

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            batches.setdefault(self.name, torch.stack(data_batch['inputs']).clone())

    class FirstView(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            data_batch['inputs'] = data_batch['inputs'][0]

    train(tmp_path / 'a', hooks=[icc(), Keep('with')])
    train(tmp_path / 'b', hooks=[Keep('without'), FirstView()])
    assert torch.equal(batches['with'], batches['without'])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(second_view='third'), "one of grad, no_grad, bank, got 'third'"),
        (dict(ce_views='second'), "'first' or 'both', got 'second'"),
        (dict(ce_views='both', second_view='no_grad'), "needs second_view='grad'"),
        (dict(begin=-1), 'begin must be at least 0, got -1'),
        (dict(warmup=float('nan')), 'warmup'),
        (dict(log_interval=0), 'log_interval'),
    ],
    ids=str,
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        IntraClassContrastHook(loss=ICC['loss'], **options)


BAD_RUNS = {
    'one view': (
        dict(views=1, model={**CONV, 'data_preprocessor': dict(type='icckd_mm.TwoViewDataPreprocessor')}),
        {},
        'one view of each image, two are needed',
    ),
    'preprocessor': (
        dict(model={**CONV, 'data_preprocessor': dict(type='ClsDataPreprocessor')}),
        {},
        'icckd_mm.TwoViewDataPreprocessor',
    ),
    'mixup': (dict(model={**CONV, 'train_cfg': dict(augments=dict(type='Mixup', alpha=1.0))}), {}, 'mixed labels'),
    'classes': ({}, dict(loss={**ICC['loss'], 'num_classes': 7}), 'loss.num_classes=7, but the model has 10'),
    'width': ({}, dict(loss={**ICC['loss'], 'feat_dims': 9}), 'loss.feat_dims=9, but the model has 8'),
    'features name': ({}, dict(features='nek'), "features='nek' is not a module of ImageClassifier; nearest: neck"),
    'logits name': ({}, dict(logits='head.fcc'), 'nearest: head.fc'),
    'features 4-D': ({}, dict(features='backbone.layer3'), 'features must be a matrix'),
    'head without linear': (
        dict(model={**CONV, 'neck': None, 'head': dict(type='MultiLabelClsHead')}),
        {},
        'MultiLabelClsHead with CrossEntropyLoss gives each class a probability of its own',
    ),
    'labels': (
        dict(model={**CONV, 'head': dict(type='LinearClsHead', in_channels=8, num_classes=5)}),
        {},
        'labels of Digits run from 0 to 9, but the head has 5 classes',
    ),
    'head with labels': (
        dict(model={**CONV, 'head': dict(type='ArcFaceClsHead', in_channels=8, num_classes=10)}),
        {},
        "ArcFaceClsHead takes the labels in its forward pass.*second_view='no_grad'",
    ),
    'margin': ({}, dict(loss={**ICC['loss'], 'margin': 2}), 'margin must lie'),
    'queue': ({}, dict(loss={**ICC['loss'], 'queue_size': -1}), 'got -1'),
}


@pytest.mark.parametrize('case', BAD_RUNS)
def test_bad_runs_are_refused_before_the_first_step(case, tmp_path):
    run, hook, message = BAD_RUNS[case]
    outputs = Outputs()
    with pytest.raises(ValueError, match=message):
        train(tmp_path, hooks=[icc(**hook), outputs], **{'model': CONV, **run})
    assert not outputs.steps
    assert not list(tmp_path.glob('*.pth'))


def test_a_checkpoint_with_another_queue_is_refused_on_resume(tmp_path):
    """Reliability test 9: never a silent start with an empty queue."""
    train(tmp_path)
    with pytest.raises(
        ValueError, match=r'icc_loss\.queue\.queue in the checkpoint has \(C, K, D\) = \(10, 4, 8\), the model \(10, 5, 8\)'
    ):
        train(tmp_path, hooks=[icc(loss={**ICC['loss'], 'queue_size': 5})], epochs=2, resume=True)


def test_a_run_without_a_queue_resumes_to_the_bit(tmp_path):
    """queue_size=0: its empty buffers are in the checkpoint, and the statistics say nothing of a queue."""
    hooks = [icc(loss={**ICC['loss'], 'queue_size': 0}, log_interval=1)]
    straight, steps = train(tmp_path / 'straight', hooks=hooks, epochs=2)
    train(tmp_path / 'parts', hooks=hooks, epochs=1)
    resumed, _ = train(tmp_path / 'parts', hooks=hooks, epochs=2, resume=True)
    assert equal(state(straight.model), state(resumed.model))
    assert straight.model.state_dict()['icc_loss.queue.queue'].shape == (10, 0, 8)
    assert any(step['loss_icc'] > 0 for step in steps)
    logged = {name.split('/')[-1] for name in straight.message_hub.log_scalars}
    assert 'icc_pass' in logged
    assert not logged & {'icc_intra_cos', 'icc_inter_cos', 'icc_ratio', 'icc_fill'}


def test_the_hook_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match='list IntraClassContrastHook once'):
        train(tmp_path, hooks=[ICC, ICC])


def test_trains_by_iteration_with_single_images_and_activation_checkpointing(tmp_path):
    """A loop by iterations, batches of one image, and a backbone whose forward pass runs twice: each image is enqueued once."""
    runner, steps = train(
        tmp_path,
        train_cfg=dict(by_epoch=False, max_iters=6),
        batch=1,
        images=12,
        activation_checkpointing=['backbone'],
        default_hooks=dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=6, by_epoch=False)),
    )
    assert len(steps) == 6
    assert int(runner.model.icc_loss.queue.filled.sum()) == 6
    assert (tmp_path / 'iter_6.pth').is_file()


def test_a_loss_with_parameters_is_refused(tmp_path):
    from icckd_mm.models import IntraClassContrastiveLoss
    from icckd_mm.registry import MODELS

    class Learnable(IntraClassContrastiveLoss):
        def __init__(self, **options):
            super().__init__(**options)
            self.projector = torch.nn.Linear(2, 2)

    MODELS.register_module(module=Learnable, force=True)
    with pytest.raises(ValueError, match='Learnable has parameters'):
        train(tmp_path, hooks=[icc(loss=dict(type='icckd_mm.Learnable'))])


def test_labels_of_several_classes_and_heads_of_independent_classes_are_refused(tmp_path):
    model = copy.deepcopy(CONV)
    model['head'] = dict(type='MultiLabelLinearClsHead', in_channels=8, num_classes=10)
    with pytest.raises(ValueError, match=r'MultiLabelLinearClsHead with .* gives each class a probability of its own'):
        train(tmp_path, model)
    with pytest.raises(ValueError, match='several labels each'):
        class_labels([DataSample().set_gt_label([1, 2])])
    assert class_labels([DataSample().set_gt_label([1])]).tolist() == [1]


@pytest.mark.parametrize('rows', [[[0], [1, 2]], [[0, 1], [1, 2]]])
def test_a_data_set_of_several_labels_is_refused_in_words(tmp_path, rows):
    entries = [dict(img_path=f'{number}.png', gt_label=label) for number, label in enumerate(rows)]
    (tmp_path / 'all.json').write_text(json.dumps(dict(metainfo=dict(classes=['a', 'b', 'c']), data_list=entries)))
    dataset = DATASETS.build(dict(type='MultiLabelDataset', ann_file=str(tmp_path / 'all.json'), pipeline=[]))
    with pytest.raises(ValueError, match='MultiLabelDataset has several labels for an image'):
        check_labels(dataset, 3)
