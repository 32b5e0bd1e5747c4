_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/distill/pckd_rotations.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.model.distiller.connectors.mlp.update(in_dims=512, out_dims=512)
_base_.model.distiller.distill_losses.loss_cc.update(student_dims=512, teacher_dims=512)
_base_.vgg8.head.loss.type = 'icckd_mm.FirstViewCrossEntropyLoss'
data_preprocessor = dict(type='icckd_mm.RotationDataPreprocessor')
model = dict(
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/ce_vgg13_1xb64_cifar100/epoch_240.pth',
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
