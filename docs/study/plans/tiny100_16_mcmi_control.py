"""What made the student of an MCMI teacher gain on 100 classes: its loss, or ten more epochs of training.

The teachers of ``tiny100_16_fresh_seeds.py`` on its ten seeds, fine-tuned with the loss and, at weight 0, without it. Its
answer is exploratory: these seeds have shown the gain. Not run yet.
"""

_base_ = ['_data/tiny100_16.py', '_data/all_teachers_16.py']

name = 'tiny100-16-mcmi-control'
title = 'MCMI against as many epochs of cross-entropy, on 100 classes of Tiny-ImageNet at 16x16, 10 seeds'
seeds = list(range(10, 20))
default = dict(data='tiny100-16', pair='resnet56_resnet20', margin=-1.0, finetune_epochs=10)
controls = ['ce']
designs = [dict(type='product', teacher=['mcmi'], kl_weight=[0.25, 0.0])]
seconds = 50
_regime = _base_.options
options = dict(
    _delete_=True,  # the regime also has options for teachers with two views
    all={**_regime['all'], **_base_._large_batches},
    teacher=_regime['teacher'],
    mcmi=_base_._mcmi,
    kd=_base_._half_teacher,
)
