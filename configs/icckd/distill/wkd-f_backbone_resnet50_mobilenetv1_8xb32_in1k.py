# wkd-f: Maps of the last stages through the benchmark's regressor, at the settings of the pair or of both forms beside ``wkd``
_base_ = [
    '../../_base_/datasets/in1k.py',
    '../../_base_/models/in1k/resnet50.py',
    '../../_base_/models/in1k/mobilenetv1.py',
    '../../_base_/schedules/in1k_100e.py',
    '../../_base_/runtime.py',
]
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    architecture=_base_.mobilenetv1,
    teacher=_base_.resnet50,
    teacher_ckpt='work_dirs/ce_resnet50_8xb32_in1k/epoch_100.pth',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer4')),
        teacher_recorders=dict(stage4=dict(type='ModuleOutputs', source='backbone.layer4')),
        connectors=dict(wkd=dict(type='icckd_mm.ConvRegConnector', s_shape=[1024, 7, 7], t_shape=[2048, 7, 7])),
        distill_losses=dict(loss_wkd_f=dict(type='icckd_mm.WKDFeatureLoss', grid=4, mean_ratio=2, loss_weight=0.005)),
        loss_forward_mappings=dict(
            loss_wkd_f=dict(
                s_feature=dict(from_student=True, recorder='stage4', connector='wkd'),
                t_feature=dict(from_student=False, recorder='stage4'),
            )
        ),
    ),
)
val_cfg = dict(type='icckd_mm.DistillValLoop')
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_wkd_f'], schedule='cosine', start=30)]
