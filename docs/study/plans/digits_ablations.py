"""Ablations on handwritten digits: one part of the method left out at a time, and other ways to soft labels.

5 seeds: their permutations give no p-value below 1/16, so the report calls nothing better or worse. Read the intervals.
More seeds can be added later; finished runs stay.
"""

_base_ = 'digits.py'

name = 'digits-ablations'
title = 'Ablations of ICCKD on handwritten digits: 300 training images, 5 seeds (too few for a verdict)'
seeds = list(range(5))
default = dict(loss_weight=0.1, stop_epoch=20)
designs = [
    dict(
        type='star',  # from a teacher with margin 0.5, 32 queued features a class, pooled features, trained from scratch
        margin=[-1.0],
        queue_size=[0],
        in_batch_negatives=[False],
        features=['logits'],
        teacher=['icc-ft'],
    ),
    dict(type='product', teacher=['icc', 'mcmi', 'ls', 'ce-stop'], student=['kd', 'kd-rkd', 'ckd', 'kd-crd', 'dkd']),
]
seconds = 9
