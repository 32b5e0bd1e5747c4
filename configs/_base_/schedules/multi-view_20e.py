_base_ = 'digits_15e.py'

param_scheduler = dict(T_max=20)
train_cfg = dict(max_epochs=20)
auto_scale_lr = dict(base_batch_size=32)
