# ctkd: ``0.1 CE + 0.9 T^2 KL`` with a learnt T, reversed in full from epoch 10; 1, 1 and epoch 5 on ImageNet
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/models/resnet32.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet32.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet32,
    teacher=_base_.resnet110,
    teacher_ckpt='work_dirs/ce_resnet110_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_ctkd=dict(type='icckd_mm.CurriculumKLDivergence', ramp=10, loss_weight=0.9)),
        loss_forward_mappings=dict(
            loss_ctkd=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
