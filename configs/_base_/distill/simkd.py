# SimKD (Chen et al. 2022): the student keeps the teacher's classifier behind a projector of its own; no labels.
# Widths of ResNet
simkd = dict(
    _delete_=True,
    type='ConfigurableDistiller',
    student_recorders=dict(projected=dict(type='ModuleOutputs', source='neck.projector')),
    teacher_recorders=dict(last_map=dict(type='ModuleInputs', source='neck.gap')),
    distill_losses=dict(loss_simkd=dict(type='icckd_mm.SimKDLoss', loss_weight=1.0)),
    loss_forward_mappings=dict(
        loss_simkd=dict(
            s_feature=dict(from_student=True, recorder='projected'),
            t_feature=dict(from_student=False, recorder='last_map', data_idx=0),
        )
    ),
)
simkd_neck = dict(_delete_=True, type='icckd_mm.SimKDNeck', in_channels=64, teacher_channels=64, factor=2)
