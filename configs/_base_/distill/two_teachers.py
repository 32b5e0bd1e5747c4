# One student from several teachers: soft labels from the mean of their logits, otherwise as kd_logits.py
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    teacher=dict(type='icckd_mm.TeacherEnsemble', how='mean'),
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='logits')),
        distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=4, reduction='batchmean', loss_weight=0.9)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
            )
        ),
    ),
)
