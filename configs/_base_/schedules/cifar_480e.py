# CKD's schedule: twice the benchmark's length, cosine to 0
_base_ = 'cifar_240e.py'

param_scheduler = dict(_delete_=True, type='CosineAnnealingLR', by_epoch=True, T_max=480, eta_min=0)
train_cfg = dict(max_epochs=480)
