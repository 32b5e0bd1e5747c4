# Pearson correlation of feature maps (Cao et al. 2022); an addition to model.distiller
pkd = dict(
    student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    distill_losses=dict(loss_pkd=dict(type='PKDLoss', loss_weight=1.0)),
    loss_forward_mappings=dict(
        loss_pkd=dict(preds_S=dict(from_student=True, recorder='stage3'), preds_T=dict(from_student=False, recorder='stage3'))
    ),
)
