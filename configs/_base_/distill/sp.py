# SP (Tung and Mori 2019): similarities in a batch, by maps of the last stage; no soft labels, as in the benchmark
sp = dict(
    _delete_=True,
    type='ConfigurableDistiller',
    student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    distill_losses=dict(loss_sp=dict(type='icckd_mm.SPLoss', loss_weight=3000.0)),
    loss_forward_mappings=dict(
        loss_sp=dict(
            s_feature=dict(from_student=True, recorder='stage3'), t_feature=dict(from_student=False, recorder='stage3')
        ),
    ),
)
