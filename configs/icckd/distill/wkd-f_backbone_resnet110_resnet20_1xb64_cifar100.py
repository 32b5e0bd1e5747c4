# wkd-f: Maps of the last stages through the benchmark's regressor, at the settings of the pair or of both forms beside ``wkd``
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/resnet110.py',
    '../../_base_/models/resnet20.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.resnet20,
    teacher=_base_.resnet110,
    teacher_ckpt='work_dirs/ce_resnet110_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
        connectors=dict(wkd=dict(type='icckd_mm.ConvRegConnector', s_shape=[64, 8, 8], t_shape=[64, 8, 8])),
        distill_losses=dict(loss_wkd_f=dict(type='icckd_mm.WKDFeatureLoss', grid=1, mean_ratio=4, loss_weight=0.1)),
        loss_forward_mappings=dict(
            loss_wkd_f=dict(
                s_feature=dict(from_student=True, recorder='stage3', connector='wkd'),
                t_feature=dict(from_student=False, recorder='stage3'),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_wkd_f'], schedule='cosine', start=150)]
