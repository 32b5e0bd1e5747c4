# Weighted transformed teacher matching (Zheng and Yang 2024): images of which the teacher is unsure weigh more
wttm = dict(
    distill_losses=dict(
        _delete_=True,
        loss_wttm=dict(type='icckd_mm.TransformedTeacherLoss', gamma=0.1, weighted=True, loss_weight=4.0),
    ),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_wttm=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
        ),
    ),
)
