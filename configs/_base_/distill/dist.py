# DIST (Huang et al. 2022): correlations within and between classes instead of KL
dist = dict(
    distill_losses=dict(_delete_=True, loss_dist=dict(type='DISTLoss', tau=4.0, loss_weight=2.0)),
    loss_forward_mappings=dict(
        _delete_=True,
        loss_dist=dict(
            logits_S=dict(from_student=True, recorder='logits'), logits_T=dict(from_student=False, recorder='logits')
        ),
    ),
)
