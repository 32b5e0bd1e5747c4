# nkd: CE 1; T = 1 and weight 1.5 of the other classes as published for ImageNet, T = 4 elsewhere, which is our choice
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
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/ce_vgg13_1xb64_tiny-imagenet/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), labels=dict(type='ModuleInputs', source='head.loss_module')
        ),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_nkd=dict(type='icckd_mm.NKDLoss', tau=4.0, gamma=1.5)),
        loss_forward_mappings=dict(
            loss_nkd=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
