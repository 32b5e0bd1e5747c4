_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/shufflenetv2.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = _base_.shufflenetv2
optim_wrapper = dict(optimizer=dict(lr=0.01))
