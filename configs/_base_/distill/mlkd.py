# Multi-level logits (Jin et al. 2023) from a weak and a strong view; needs a *_weak_strong_views.py part of the data
mlkd = dict(
    distill_losses=dict(_delete_=True, loss_mlkd=dict(type='icckd_mm.MultiLevelLogitLoss')),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_mlkd=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
        ),
    ),
)
