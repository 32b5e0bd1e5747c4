# Activation boundaries (Heo et al. 2019, arXiv 1811.03233), first stage: the student's features learn on which side of 0 the
# teacher's sums before the last ReLU of a stage lie; the student's last layer gets no gradient. mmrazor's config compares
# outputs of convolutions instead, before batch norm and short cut
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    calculate_student_loss=False,
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer1.0.preact'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer2.0.preact'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer3.0.preact'),
        ),
        teacher_recorders=dict(
            stage1=dict(type='ModuleOutputs', source='backbone.layer1.2.preact'),
            stage2=dict(type='ModuleOutputs', source='backbone.layer2.2.preact'),
            stage3=dict(type='ModuleOutputs', source='backbone.layer3.2.preact'),
        ),
        connectors=dict(
            boundary1=dict(type='ConvModuleConnector', in_channel=16, out_channel=16, norm_cfg=dict(type='BN'), act_cfg=None),
            boundary2=dict(type='ConvModuleConnector', in_channel=32, out_channel=32, norm_cfg=dict(type='BN'), act_cfg=None),
            boundary3=dict(type='ConvModuleConnector', in_channel=64, out_channel=64, norm_cfg=dict(type='BN'), act_cfg=None),
        ),
        distill_losses=dict(
            loss_ab1=dict(type='icckd_mm.ABLoss', loss_weight=0.25),
            loss_ab2=dict(type='icckd_mm.ABLoss', loss_weight=0.5),
            loss_ab3=dict(type='icckd_mm.ABLoss', loss_weight=1.0),
        ),
        loss_forward_mappings=dict(
            loss_ab1=dict(
                s_feature=dict(from_student=True, recorder='stage1', connector='boundary1'),
                t_feature=dict(from_student=False, recorder='stage1'),
            ),
            loss_ab2=dict(
                s_feature=dict(from_student=True, recorder='stage2', connector='boundary2'),
                t_feature=dict(from_student=False, recorder='stage2'),
            ),
            loss_ab3=dict(
                s_feature=dict(from_student=True, recorder='stage3', connector='boundary3'),
                t_feature=dict(from_student=False, recorder='stage3'),
            ),
        ),
    ),
)
find_unused_parameters = True  # the student's last layer
