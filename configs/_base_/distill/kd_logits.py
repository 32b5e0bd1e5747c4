# Distillation of Hinton et al. as in the benchmark, 0.1 CE + 0.9 T^2 KL with T = 4; set the 0.1 in the student's head
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4, reduction='batchmean', loss_weight=0.9)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
            )
        ),
    ),
)
