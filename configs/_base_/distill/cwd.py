# Channel-wise divergence (Shu et al. 2021) on the last stage, made for dense prediction; an addition to model.distiller
cwd = dict(
    student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    distill_losses=dict(loss_cwd=dict(type='icckd_mm.ChannelWiseDivergence', tau=1.0, loss_weight=1.0)),
    loss_forward_mappings=dict(
        loss_cwd=dict(preds_S=dict(from_student=True, recorder='stage3'), preds_T=dict(from_student=False, recorder='stage3'))
    ),
)
