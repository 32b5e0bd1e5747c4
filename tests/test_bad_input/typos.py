"""Mistyped names, in a config and in ``--cfg-options``."""

from tests.test_bad_input.case import Case, option

TYPES = {
    'unknown backbone': Case(
        'model.backbone: there is no type CIFARResnt .* mean icckd_mm.CIFARResNet', body="model.backbone.type = 'CIFARResnt'"
    ),
    'no scope': Case('no type CIFARResNet .* did you mean icckd_mm.CIFARResNet', body="model.backbone.type = 'CIFARResNet'"),
    'unknown scope': Case('model.backbone: there is no type mmnix.ResNet', body="model.backbone.type = 'mmnix.ResNet'"),
    'type is a number': Case('model.head.type must be a name or a class, got 3', body='model.head.type = 3'),
    'argument of the backbone': Case(
        'model.backbone.dpeth: CIFARResNet has no argument dpeth; did you mean depth', body='model.backbone.dpeth = 8'
    ),
    'argument of the head': Case(
        'model.head.num_class: LinearClsHead .* did you mean num_classes', body='model.head.num_class = 10'
    ),
    'argument of a loss': Case(
        'model.head.loss.los_weight: CrossEntropyLoss .* did you mean loss_weight', body='model.head.loss.los_weight = 1.0'
    ),
    'unknown hook': Case(
        'custom_hooks.0: there is no type icckd_mm.IntraClassHook', 'icc', "custom_hooks[0].type = 'icckd_mm.IntraClassHook'"
    ),
    'argument of a hook': Case(
        'custom_hooks.0.secnd_view: .* did you mean second_view', 'icc', "custom_hooks[0].secnd_view = 'grad'"
    ),
    'argument of our loss': Case(
        'custom_hooks.0.loss.temprature: .* did you mean temperature', 'icc', 'custom_hooks[0].loss.temprature = 0.1'
    ),
    'unknown optimizer': Case(
        'optim_wrapper.optimizer: there is no type SDG .* did you mean .*SGD', body="optim_wrapper.optimizer.type = 'SDG'"
    ),
    'argument of the optimizer': Case(
        'optim_wrapper.optimizer.momentun: SGD .* did you mean momentum', body='optim_wrapper.optimizer.momentun = 0.9'
    ),
    'argument of a schedule': Case(
        'param_scheduler.T_mx: CosineAnnealingLR .* did you mean T_max', body='param_scheduler.T_mx = 5'
    ),
    'parameter group': Case(
        'paramwise_cfg.norm_decay_mul: .* did you mean norm_decay_mult',
        body='optim_wrapper.paramwise_cfg = dict(norm_decay_mul=0.0)',
    ),
    'unknown data set': Case(
        'train_dataloader.dataset: there is no type icckd_mm.Digit .* did you mean icckd_mm.Digits',
        body="train_dataloader.dataset.type = 'icckd_mm.Digit'",
    ),
    'argument of a data set': Case(
        'train_dataloader.dataset.scal: Digits .* did you mean scale', body='train_dataloader.dataset.scal = 8'
    ),
    'unknown transform': Case(
        'pipeline.0: there is no type RandomCorp .* did you mean .*RandomCrop',
        body="train_dataloader.dataset.pipeline[0].type = 'RandomCorp'",
    ),
    'argument of a transform': Case(
        'pipeline.0.crop_sise: RandomCrop .* did you mean crop_size', body='train_dataloader.dataset.pipeline[0].crop_sise = 8'
    ),
    'argument of a loader': Case(
        'train_dataloader.bach_size: DataLoader .* did you mean batch_size', body='train_dataloader.bach_size = 8'
    ),
    'argument of a sampler': Case(
        'train_dataloader.sampler.shufle: DefaultSampler .* did you mean shuffle', body='train_dataloader.sampler.shufle = True'
    ),
    'unknown collate': Case(
        'train_dataloader.collate_fn: there is no type default_colate .* did you mean default_collate',
        body="train_dataloader.collate_fn = dict(type='default_colate')",
    ),
    'argument of the loop': Case(
        'train_cfg.max_epoch: .*TrainLoop has no argument max_epoch; did you mean max_epochs', body='train_cfg.max_epoch = 5'
    ),
    'argument of a metric': Case('val_evaluator.topkk: Accuracy .* did you mean topk', body='val_evaluator.topkk = 5'),
    'default hook without type': Case(
        'default_hooks.loger has no type; .* did you mean logger', body='default_hooks.loger = dict(interval=1)'
    ),
    'key of the environment': Case(
        'env_cfg.cudnn_benchmrk: .* did you mean cudnn_benchmark', body='env_cfg.cudnn_benchmrk = True'
    ),
    'key of the randomness': Case('randomness.sed: .* did you mean seed', body='randomness.sed = 1'),
    'recorder': Case(
        'student_recorders.logits: there is no type ModuleOutput ',
        'kd',
        "model.distiller.student_recorders.logits.type = 'ModuleOutput'",
    ),
    'argument of a distiller': Case(
        'distiller.distil_losses: ConfigurableDistiller .* did you mean distill_losses',
        'kd',
        'model.distiller.distil_losses = dict()',
    ),
    'argument of a distillation loss': Case(
        'loss_kl.tua: KLDivergence .* did you mean tau', 'kd', 'model.distiller.distill_losses.loss_kl.tua = 4'
    ),
}

OPTIONS = {
    'option of the optimizer': option(
        'optim_wrapper.optimzer.lr=0.1', '--cfg-options optim_wrapper.optimzer: .* did you mean optimizer'
    ),
    'option of the loop': option('train_cfg.max_epoch=2', 'train_cfg.max_epoch: .* did you mean max_epochs'),
    'option of the model': option('modle.head.num_classes=3', 'modle: .* did you mean model'),
    'option of the runner': option('load_form=x', 'load_form: .* did you mean load_from'),
    'option of a default hook': option('default_hooks.chekpoint.interval=2', 'chekpoint: .* did you mean checkpoint'),
    'option of a teacher': option('model.teacher_chkpt=x', 'teacher_chkpt: .* did you mean teacher_ckpt', 'kd'),
    'option of a new loss': option(
        'model.distiller.distill_losses.kl.tau=2', 'distill_losses.kl: .* did you mean loss_kl|takes loss_kl', 'kd'
    ),
    'index too high': option(
        'custom_hooks.3.begin=2', 'custom_hooks is a list of 1, the next part must be an index from 0 to 0, got 3', 'icc'
    ),
    'index is a word': option('custom_hooks.first.begin=2', 'custom_hooks is a list of 1, .* got first', 'icc'),
    'list that is not there': option(
        'custom_hooks.0.type=EMAHook', 'custom_hooks is not a list in the config; set the whole list'
    ),
    'element of a list': option('train_dataloader.dataset.pipeline.0=x', 'elements cannot be set one by one'),
    'through a number': option('train_cfg.max_epochs.x=2', 'train_cfg.max_epochs is 15, which has no x; remove that part'),
    'number for a dict': option('model.backbone=5', 'model.backbone: 5 cannot replace a dict; .* set model.backbone.type'),
    'through nothing': option('load_from.x=2', 'load_from is None in the config'),
    'empty part': option('train_cfg..max_epochs=2', 'a part of the key is empty; write it like'),
    'no equals sign': option('train_cfg.max_epochs', '--cfg-options train_cfg.max_epochs: write KEY=VALUE'),
    'no key': option('=2', '--cfg-options =2: write KEY=VALUE'),
    'open bracket': option('param_scheduler.milestones=[1,2', 'with closed brackets'),
}
