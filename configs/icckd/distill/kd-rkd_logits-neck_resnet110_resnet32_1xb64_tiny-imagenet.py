# kd: ``0.1 CE + 0.9 T^2 KL`` at T = 4 on CIFAR, ``0.5 CE + 0.5 KL`` at T = 1 on ImageNet; 1 and 1 beside CRD, as published.
# rkd: Distances with weight 25 and angles with weight 50, features not normalised, as in the benchmark
_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/models/resnet32.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
_base_.resnet110.head.num_classes = 200
_base_.resnet32.head.num_classes = 200
_base_.resnet32.head.loss.loss_weight = 0.1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet32,
    teacher=_base_.resnet110,
    teacher_ckpt='work_dirs/ce_resnet110_1xb64_tiny-imagenet/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), pooled=dict(type='ModuleInputs', source='head.fc')
        ),
        teacher_recorders=dict(
            logits=dict(type='ModuleOutputs', source='head.fc'), pooled=dict(type='ModuleInputs', source='head.fc')
        ),
        distill_losses=dict(
            loss_kl=dict(type='KLDivergence', tau=4.0, reduction='batchmean', loss_weight=0.9),
            loss_distance=dict(type='icckd_mm.DistanceWiseRKD', loss_weight=25.0, with_l2_norm=False),
            loss_angle=dict(type='icckd_mm.AngleWiseRKD', loss_weight=50.0, with_l2_norm=False),
        ),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
            ),
            loss_distance=dict(
                preds_S=dict(from_student=True, recorder='pooled', data_idx=0),
                preds_T=dict(from_student=False, recorder='pooled', data_idx=0),
            ),
            loss_angle=dict(
                preds_S=dict(from_student=True, recorder='pooled', data_idx=0),
                preds_T=dict(from_student=False, recorder='pooled', data_idx=0),
            ),
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
