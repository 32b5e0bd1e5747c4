# MSDCRD-style contrast of regions of the last maps, our definition. Maps of different width need a connector:
#   connectors=dict(project=dict(type='ConvModuleConnector', in_channel=…, out_channel=…, norm_cfg=dict(type='BN'),
#                                act_cfg=None))
# Regions are weighted by local correctness of the teacher; without the last three mappings all weigh 1
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(
            maps=dict(type='ModuleInputs', source='neck.gap'),
            labels=dict(type='ModuleInputs', source='head.loss_module'),
        ),
        teacher_recorders=dict(
            maps=dict(type='ModuleInputs', source='neck.gap'),
            centers=dict(type='Parameter', source='head.fc.weight'),
            bias=dict(type='Parameter', source='head.fc.bias'),
        ),
        distill_losses=dict(loss_ms=dict(type='icckd_mm.MultiScaleContrastiveLoss')),
        loss_forward_mappings=dict(
            loss_ms=dict(
                s_feature=dict(from_student=True, recorder='maps', data_idx=0),
                t_feature=dict(from_student=False, recorder='maps', data_idx=0),
                t_centers=dict(from_student=False, recorder='centers'),
                t_bias=dict(from_student=False, recorder='bias'),
                gt_labels=dict(from_student=True, recorder='labels', data_idx=1),
            )
        ),
    ),
)
