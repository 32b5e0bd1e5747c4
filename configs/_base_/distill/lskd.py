# Logit standardisation (Sun et al. 2024) on KD: soft labels of logits with mean 0 and deviation 1 per image
lskd = dict(
    distill_losses=dict(
        _delete_=True, loss_lskd=dict(type='icckd_mm.KLDivergence', tau=2.0, loss_weight=9.0, standardize=True)
    ),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_lskd=dict(
            preds_S=dict(from_student=True, recorder='logits'),
            preds_T=dict(from_student=False, recorder='logits'),
        ),
    ),
)
