_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/wrn40-2.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
model = _base_.wrn40_2
model.head.num_classes = 10
