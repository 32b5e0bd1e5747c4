# Curriculum temperature (Li et al. 2023): a learnt temperature that moves against the student
ctkd = dict(
    distill_losses=dict(_delete_=True, loss_ctkd=dict(type='icckd_mm.CurriculumKLDivergence', loss_weight=0.9)),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_ctkd=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
        ),
    ),
)
