# mlkd: CE 0.1 for each view, divergences and correlations 0.9; 0.5 and 0.5 on ImageNet. Schedule of the authors by pair
_base_ = [
    '../../_base_/datasets/cifar100_weak_strong_views.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/models/wrn40-1.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.wrn40_1.head.loss.loss_weight = 0.2
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.wrn40_1,
    teacher=_base_.wrn40_2,
    teacher_ckpt='work_dirs/ce_wrn40-2_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(
            loss_mlkd=dict(type='icckd_mm.MultiLevelLogitLoss', taus=[4.0, 3.0, 5.0, 2.0, 6.0], loss_weight=0.9)
        ),
        loss_forward_mappings=dict(
            loss_mlkd=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
train_cfg = dict(max_epochs=240)
optim_wrapper = dict(optimizer=dict(lr=0.025))
