# dist: CE 1 and weight 2 for correlations within and between classes; T = 4 on CIFAR, 1 on ImageNet
_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/resnet34.py',
    '../../_base_/models/in1k/resnet18.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet18,
    teacher=_base_.resnet34,
    teacher_ckpt='work_dirs/ce_resnet34_8xb32_in1k/epoch_100.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(
            loss_dist=dict(type='DISTLoss', inter_loss_weight=1.0, intra_loss_weight=1.0, tau=1.0, loss_weight=2.0)
        ),
        loss_forward_mappings=dict(
            loss_dist=dict(
                logits_S=dict(from_student=True, recorder='logits'), logits_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
