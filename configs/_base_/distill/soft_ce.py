# Cross-entropy with the teacher's soft labels instead of KL: the same gradient, a value that does not go to 0
soft_ce = dict(
    distill_losses=dict(_delete_=True, loss_soft_ce=dict(type='icckd_mm.KDSoftCELoss', tau=4.0, loss_weight=0.9)),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_soft_ce=dict(
            preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
        ),
    ),
)
