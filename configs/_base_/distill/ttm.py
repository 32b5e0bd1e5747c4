# Transformed teacher matching (Zheng and Yang 2024): only the teacher has a temperature, 1 / gamma
ttm = dict(
    distill_losses=dict(_delete_=True, loss_ttm=dict(type='icckd_mm.TransformedTeacherLoss', gamma=0.1, loss_weight=45.0)),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_ttm=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
        ),
    ),
)
