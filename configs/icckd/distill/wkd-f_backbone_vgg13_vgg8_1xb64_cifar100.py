# wkd-f: Maps of the last stages through the benchmark's regressor, at the settings of the pair or of both forms beside ``wkd``
_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/vgg13.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.vgg8,
    teacher=_base_.vgg13,
    teacher_ckpt='work_dirs/ce_vgg13_1xb64_cifar100/epoch_240.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer5')),
        teacher_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer5')),
        connectors=dict(wkd=dict(type='icckd_mm.ConvRegConnector', s_shape=[512, 4, 4], t_shape=[512, 4, 4])),
        distill_losses=dict(loss_wkd_f=dict(type='icckd_mm.WKDFeatureLoss', grid=1, mean_ratio=4, loss_weight=0.1)),
        loss_forward_mappings=dict(
            loss_wkd_f=dict(
                s_feature=dict(from_student=True, recorder='stage4', connector='wkd'),
                t_feature=dict(from_student=False, recorder='stage4'),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_wkd_f'], schedule='cosine', start=150)]
