# dot: Two momentum buffers, 0.075 (ImageNet: 0.09) apart from the momentum; with soft labels unless it stands beside others
_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet110.head.num_classes = 200
_base_.resnet20.head.num_classes = 200
_base_.resnet20.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet110,
    teacher_ckpt='work_dirs/ce_resnet110_1xb64_tiny-imagenet/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=0.9)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
optim_wrapper = dict(type='icckd_mm.DOTOptimWrapper', optimizer=dict(type='icckd_mm.DOTSGD', delta=0.075))
