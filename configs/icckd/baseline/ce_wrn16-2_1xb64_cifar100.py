_base_ = [
    '../../_base_/datasets/cifar100.py',
    '../../_base_/models/wrn16-2.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = _base_.wrn16_2
