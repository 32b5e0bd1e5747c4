"""Values out of range, and parts that do not fit each other."""

from tests.test_bad_input.case import Case


def hook(text, says, **more):
    return Case(says, 'icc', body=f'custom_hooks[0].{text}', begun=True, **more)


def loss(text, says):
    return hook(f'loss.{text}', says)


VALUES = {
    'margin': loss('margin = 2.0', r'margin must .*\[-1, 1\].* got 2.0'),
    'temperature': loss('temperature = 0', 'temperature must be a finite number above 0, got 0'),
    'temperature is infinite': loss("temperature = float('inf')", 'temperature must be a finite number above 0, got inf'),
    'queue size': loss('queue_size = -1', 'queue_size.* at least 0, got -1'),
    'loss weight': loss("loss_weight = 'a'", 'loss_weight must be .* got .a.'),
    'classes of the loss': loss('num_classes = 7', 'loss.num_classes=7, but the model has 10; leave it out'),
    'second view': hook("second_view = 'maybe'", "second_view must be .*grad.* got 'maybe'"),
    'views of the cross-entropy': hook("ce_views = 'last'", "ce_views must be 'first' or 'both', got 'last'"),
    'begin': hook('begin = -1', 'begin must be at least 0, got -1'),
    'features': hook("features = 'backbone.layer9'", 'backbone.layer9'),
    'logits': hook("logits = 'head.nix'", 'head.nix'),
    'hook twice': Case(
        'has an icc_loss already; list IntraClassContrastHook once', 'icc', 'custom_hooks.append(custom_hooks[0])', begun=True
    ),
    'one view': Case(
        'gives one view of each image, two are needed; wrap', 'icc', 'train_dataloader.dataset.pipeline.pop(0)', begun=True
    ),
    'preprocessor of one view': Case(
        'cannot stack two views; set data_preprocessor',
        'icc',
        "data_preprocessor = dict(_delete_=True, type='mmpretrain.ClsDataPreprocessor')",
        begun=True,
    ),
    'mixed labels': Case(
        'cannot use batch_augments.*Mixup.* remove',
        'icc',
        "model.train_cfg = dict(augments=dict(type='Mixup', alpha=0.5))",
        begun=True,
    ),
    'more labels than classes': Case(
        'labels of .* run from 0 to 9, but the head has 7 classes; set head.num_classes=10',
        'icc',
        'model.head.num_classes = 7',
        begun=True,
    ),
    'depth': Case('depth=21 must be one of', body='model.backbone.depth = 21', begun=True),
    'width of the head': Case('shapes cannot be multiplied', body='model.head.in_channels = 7', begun=True),
    'no rate': Case('optim_wrapper.optimizer.lr is nan; write a number', body="optim_wrapper.optimizer.lr = float('nan')"),
    'negative rate': Case('Invalid learning rate: -1', body='optim_wrapper.optimizer.lr = -1.0', begun=True),
    'empty batch': Case(
        'batch_size should be a positive integer value, but got batch_size=0',
        body='train_dataloader.batch_size = 0',
        begun=True,
    ),
    'workers': Case('num_workers option should be non-negative', body='train_dataloader.num_workers = -1', begun=True),
    'seed in the config': Case("randomness.seed must be an integer, got 'abc'", body="randomness.seed = 'abc'"),
    'part of the digits': Case("split must be .* 'tset'", body="train_dataloader.dataset.split = 'tset'", begun=True),
    'classes of teacher and student': Case(
        'the student has 10 classes, the teacher 7; set head.num_classes',
        'kd',
        'model.teacher.head.num_classes = 7\nmodel.teacher_ckpt = None\nmodel.allow_random_teacher = True',
        begun=True,
    ),
}
