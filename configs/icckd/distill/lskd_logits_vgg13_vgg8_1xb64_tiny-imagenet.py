# lskd: Base temperature and weight by pair; CE 0.1 on CIFAR, 1 on ImageNet
_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.vgg13.head.num_classes = 200
_base_.vgg13.backbone.pools = 4
_base_.vgg8.head.num_classes = 200
_base_.vgg8.backbone.pools = 4
_base_.vgg8.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/ce_vgg13_1xb64_tiny-imagenet/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_lskd=dict(type='icckd_mm.KLDivergence', tau=3.0, loss_weight=9.0, standardize=True)),
        loss_forward_mappings=dict(
            loss_lskd=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
