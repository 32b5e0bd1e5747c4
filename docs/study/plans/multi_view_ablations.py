"""The ablations of ``digits_ablations.py`` on synthetic images whose classes have several views each."""

_base_ = 'multi_view.py'

name = 'multi-view-ablations'
title = 'Ablations of ICCKD on synthetic multi-view images: 250 training images, 5 seeds (too few for a verdict)'
seeds = list(range(5))
default = dict(stop_epoch=20)
designs = [
    dict(type='star', margin=[-1.0], queue_size=[0], in_batch_negatives=[False], features=['logits'], teacher=['icc-ft']),
    dict(type='product', teacher=['icc', 'mcmi', 'ls', 'ce-stop'], student=['kd', 'kd-rkd', 'ckd', 'kd-crd', 'dkd']),
]
seconds = 9
