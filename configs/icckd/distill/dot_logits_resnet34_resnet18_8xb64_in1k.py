# dot: Two momentum buffers, 0.075 (ImageNet: 0.09) apart from the momentum; with soft labels unless it stands beside others
_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/resnet34.py',
    '../../_base_/models/in1k/resnet18.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
train_dataloader = dict(batch_size=64)
_base_.resnet18.head.loss.loss_weight = 0.5
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
        distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=1.0, reduction='batchmean', loss_weight=0.5)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
optim_wrapper = dict(type='icckd_mm.DOTOptimWrapper', optimizer=dict(type='icckd_mm.DOTSGD', delta=0.09, lr=0.2))
