# wttm: CE 1; exponent 0.1 and weight 4, our choice; exponent 0.2 beside CRD, published for vgg13 to vgg8
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet50.py',
    '../../_base_/models/mobilenetv2.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.mobilenetv2,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_1xb64_cifar100/epoch_240.pth',
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
optim_wrapper = dict(optimizer=dict(lr=0.01))
