# Masked generative distillation (Yang et al. 2022): the student's masked map generates the teacher's; an addition to
# model.distiller. mmrazor's loss is a sum over positions and channels, hence the small weight
mgd = dict(
    student_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    teacher_recorders=dict(stage3=dict(type='ModuleOutputs', source='backbone.layer3')),
    connectors=dict(mgd=dict(type='MGDConnector', student_channels=64, teacher_channels=64, lambda_mgd=0.15)),
    distill_losses=dict(loss_mgd=dict(type='MGDLoss', alpha_mgd=0.00007)),
    loss_forward_mappings=dict(
        loss_mgd=dict(
            preds_S=dict(from_student=True, recorder='stage3', connector='mgd'),
            preds_T=dict(from_student=False, recorder='stage3'),
        )
    ),
)
