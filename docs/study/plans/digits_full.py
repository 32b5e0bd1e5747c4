"""The full product: look at it with ``--dry-run``, or run it on a cluster with ``--slurm``.

433 comparisons per table need 15 seeds before the smallest p-value after Holm, 433 / 2^14, is below 0.05.
"""

_base_ = 'digits.py'

name = 'digits-full'
title = 'ICCKD on handwritten digits: all combinations'
seeds = list(range(15))
designs = [
    dict(
        type='product',
        loss_weight=[0.005, 0.01, 0.02, 0.05, 0.1, 0.3],
        margin=[-1.0, 0.0, 0.25, 0.5, 0.75, 0.9],
        temperature=[0.07, 0.1, 0.5],
        queue_size=[8, 16, 32, 64],
        student=['kd', 'kd-rkd'],
    )
]
