# FitNet hints (Romero et al. 2015) on the second stage, through a 1x1 convolution; an addition to model.distiller
fitnet = dict(
    student_recorders=dict(stage2=dict(type='ModuleOutputs', source='backbone.layer2')),
    teacher_recorders=dict(stage2=dict(type='ModuleOutputs', source='backbone.layer2')),
    connectors=dict(hint=dict(type='ConvModuleConnector', in_channel=32, out_channel=32, norm_cfg=dict(type='BN'))),
    distill_losses=dict(loss_hint=dict(type='icckd_mm.L2Loss', normalize=False, loss_weight=1.0)),
    loss_forward_mappings=dict(
        loss_hint=dict(
            s_feature=dict(from_student=True, recorder='stage2', connector='hint'),
            t_feature=dict(from_student=False, recorder='stage2'),
        )
    ),
)
