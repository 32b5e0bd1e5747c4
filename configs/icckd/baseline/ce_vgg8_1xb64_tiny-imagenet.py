_base_ = [
    '../../_base_/datasets/tiny-imagenet.py',
    '../../_base_/models/vgg8.py',
    '../../_base_/schedules/cifar_240e.py',
    '../../_base_/runtime.py',
]
model = _base_.vgg8
model.head.num_classes = 200
model.backbone.pools = 4
