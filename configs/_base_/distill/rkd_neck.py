# Relations between the pooled features of a batch (Park et al. 2019), weighted and, unlike mmrazor's default, not normalised,
# as in the benchmark; an addition to model.distiller
rkd = dict(
    student_recorders=dict(features=dict(type='ModuleInputs', source='head.fc')),
    teacher_recorders=dict(features=dict(type='ModuleInputs', source='head.fc')),
    distill_losses=dict(
        loss_distance=dict(type='icckd_mm.DistanceWiseRKD', loss_weight=25.0, with_l2_norm=False),
        loss_angle=dict(type='icckd_mm.AngleWiseRKD', loss_weight=50.0, with_l2_norm=False),
    ),
    loss_forward_mappings=dict(
        loss_distance=dict(
            preds_S=dict(from_student=True, recorder='features', data_idx=0),
            preds_T=dict(from_student=False, recorder='features', data_idx=0),
        ),
        loss_angle=dict(
            preds_S=dict(from_student=True, recorder='features', data_idx=0),
            preds_T=dict(from_student=False, recorder='features', data_idx=0),
        ),
    ),
)
