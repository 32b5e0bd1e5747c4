_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/resnet8x4.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = _base_.resnet8x4
model.head.num_classes = 200
