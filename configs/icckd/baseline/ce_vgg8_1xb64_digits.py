_base_ = [
    '../../_base_/datasets/digits.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/digits_15e.py',
    '../../_base_/runtime.py',
]
model = _base_.vgg8
model.head.num_classes = 10
