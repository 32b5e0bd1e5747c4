# Scale-decoupled distillation (Wei et al. 2024) on DKD
_base_ = 'sdd.py'

sdd = dict(
    distill_losses=dict(loss_sdd=dict(_delete_=True, type='icckd_mm.SDDDKDLoss', tau=4.0, alpha=1.0, beta=8.0)),
)
