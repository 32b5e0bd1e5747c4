# Attention transfer (Zagoruyko and Komodakis 2017) on the last two stages; an addition to model.distiller
at = dict(
    student_recorders=dict(
        stage2=dict(type='ModuleOutputs', source='backbone.layer2'), stage3=dict(type='ModuleOutputs', source='backbone.layer3')
    ),
    teacher_recorders=dict(
        stage2=dict(type='ModuleOutputs', source='backbone.layer2'), stage3=dict(type='ModuleOutputs', source='backbone.layer3')
    ),
    distill_losses=dict(
        loss_at2=dict(type='icckd_mm.ATLoss', loss_weight=1000.0), loss_at3=dict(type='icckd_mm.ATLoss', loss_weight=1000.0)
    ),
    loss_forward_mappings=dict(
        loss_at2=dict(
            s_feature=dict(from_student=True, recorder='stage2'), t_feature=dict(from_student=False, recorder='stage2')
        ),
        loss_at3=dict(
            s_feature=dict(from_student=True, recorder='stage3'), t_feature=dict(from_student=False, recorder='stage3')
        ),
    ),
)
