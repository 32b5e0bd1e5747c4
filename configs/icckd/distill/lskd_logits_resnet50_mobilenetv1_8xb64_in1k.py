# lskd: Base temperature and weight by pair; CE 0.1 on CIFAR, 1 on ImageNet
_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/resnet50.py',
    '../../_base_/models/in1k/mobilenetv1.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
train_dataloader = dict(batch_size=64)
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.mobilenetv1,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_8xb32_in1k/epoch_100.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_lskd=dict(type='icckd_mm.KLDivergence', tau=2.0, loss_weight=9.0, standardize=True)),
        loss_forward_mappings=dict(
            loss_lskd=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
optim_wrapper = dict(optimizer=dict(lr=0.2))
