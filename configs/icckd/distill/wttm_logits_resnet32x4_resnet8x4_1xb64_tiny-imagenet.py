# wttm: CE 1; exponent 0.1 and weight 4, our choice; exponent 0.2 beside CRD, published for vgg13 to vgg8
_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/resnet32x4.py',
    '../../_base_/models/resnet8x4.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet32x4.head.num_classes = 200
_base_.resnet8x4.head.num_classes = 200
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet8x4,
    teacher=_base_.resnet32x4,
    teacher_ckpt='work_dirs/ce_resnet32x4_1xb64_tiny-imagenet/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_wttm=dict(type='icckd_mm.TransformedTeacherLoss', gamma=0.1, weighted=True, loss_weight=4.0)),
        loss_forward_mappings=dict(
            loss_wttm=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
