"""The regime of 16x16 with settings for runs that are not in the first exploration: strong views, MCMI, CRD, hints.

MCMI starts from the CE teacher, for 10 epochs at a tenth of the learning rate.
"""

_base_ = 'regime_16.py'

_decay = [dict(type='CosineAnnealingLR', T_max=10, begin=0, end=10, by_epoch=True, convert_to_iter_based=True)]
_supcon = {'train_dataloader.dataset.pipeline': _base_._two_views}
_mcmi = {
    'train_cfg.max_epochs': 10,
    'train_cfg.val_interval': 10,
    'optim_wrapper.optimizer.lr': 0.01,
    'param_scheduler': _decay,
}
# 1,024 negatives instead of the published 16,384, of which these data do not have as many: a step on a CPU stays short
_crd = {
    'model.distiller.distill_losses.loss_crd.neg_num': 1024,
    'model.distiller.distill_losses.loss_crd.sample_n': 10000,
}
_hint = {  # after the second stage: channels, height and width
    'model.distiller.connectors.hint.s_shape': [16, 8, 8],
    'model.distiller.connectors.hint.t_shape': [64, 8, 8],
}
