_base_ = 'in1k_100e.py'

optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = dict(_delete_=True, type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True, T_max=20)
train_cfg = dict(max_epochs=20)
