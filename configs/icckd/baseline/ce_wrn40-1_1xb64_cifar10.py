_base_ = [
    '../../_base_/datasets/cifar10.py',
    '../../_base_/models/wrn40-1.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = _base_.wrn40_1
model.head.num_classes = 10
