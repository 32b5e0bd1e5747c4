"""Teachers for students whose data differ from theirs: the teachers see all 10,000 images of ten classes."""

_base_ = ['cifar10_16.py', 'all_teachers_16.py']

seeds = list(range(10))
default = dict(data='cifar10-16', pair='resnet56_resnet20', finetune_epochs=10)
_students = ['kd', 'kd-rkd']
designs = [
    dict(type='product', loss_weight=[0.05], student=_students),
    dict(
        type='product',
        loss_weight=[0.1],
        temperature=[0.5],
        margin=[-1.0],
        queue_size=[0],
        positive=['strong'],
        student=_students,
    ),
    dict(type='product', teacher=['mcmi'], student=_students),
]
