_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn16-2.py',
    '../../_base_/distill/ft_pretrain.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
_base_.wrn40_2.head.num_classes = 10
_base_.wrn16_2.head.num_classes = 10
model = dict(
    architecture=_base_.wrn16_2,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/icc_wrn40-2_1xb64_digits/epoch_15.pth',
    distiller=dict(  # a wide ResNet's last stage is a sum before batch norm: take what comes after it
        teacher_recorders=dict(stage3=dict(source='backbone.relu')),
        connectors=dict(paraphraser=dict(in_channel=128, out_channel=64)),
    ),
)
val_cfg = val_dataloader = val_evaluator = None  # the student does not learn yet
default_hooks = dict(checkpoint=dict(save_best=None))
# the paraphraser has no batch norm: at 0.05, or with large features and no clipping, it ends in NaN within three epochs
optim_wrapper = dict(optimizer=dict(lr=0.01), clip_grad=dict(max_norm=1.0))
