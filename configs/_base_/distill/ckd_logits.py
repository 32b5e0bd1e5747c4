# Sample-wise contrast of logits (CKD) with a cross-entropy of weight 1. The weight depends on the pair, see
# SampleWiseContrastiveLoss: 10 for small ResNets, 100 for most others. Published after 480 epochs with a cosine to 0; compare
# at 240 epochs with steps and at 480 with the cosine (max_epochs and T_max), each against kd_logits of the same length
model = dict(
    _scope_='mmrazor',
    type='icckd_mm.SafeTeacherDistill',
    distiller=dict(
        type='ConfigurableDistiller',
        student_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        teacher_recorders=dict(logits=dict(type='ModuleOutputs', source='head.fc')),
        distill_losses=dict(loss_ckd=dict(type='icckd_mm.SampleWiseContrastiveLoss', temperature=1.0, loss_weight=10.0)),
        loss_forward_mappings=dict(
            loss_ckd=dict(
                preds_S=dict(from_student=True, recorder='logits'),
                preds_T=dict(from_student=False, recorder='logits'),
            )
        ),
    ),
)
