# Logit standardisation (Sun et al. 2024) on DKD; loss_weight multiplies alpha and beta, as published
_base_ = 'dkd.py'

dkd = dict(distill_losses=dict(loss_dkd=dict(tau=2.0, loss_weight=9.0, standardize=True)))
