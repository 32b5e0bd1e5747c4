_base_ = 'cifar_240e.py'

param_scheduler = dict(_delete_=True, type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True, T_max=20)
train_cfg = dict(max_epochs=20)
