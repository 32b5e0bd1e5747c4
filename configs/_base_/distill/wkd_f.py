# WKD-F (Lv et al. 2024): means and deviations of the maps of the last stage; no soft labels; shapes of ResNet at 16x16
# images. The weight falls with a cosine by a DistillWeightHook
wkd_f = dict(
    _delete_=True,
    type='ConfigurableDistiller',
    student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    connectors=dict(wkd=dict(type='icckd_mm.ConvRegConnector', s_shape=[64, 4, 4], t_shape=[64, 4, 4])),
    distill_losses=dict(loss_wkd_f=dict(type='icckd_mm.WKDFeatureLoss', grid=1, mean_ratio=4.0, loss_weight=0.1)),
    loss_forward_mappings=dict(
        loss_wkd_f=dict(
            s_feature=dict(from_student=True, recorder='stage3', connector='wkd'),
            t_feature=dict(from_student=False, recorder='stage3'),
        )
    ),
)
