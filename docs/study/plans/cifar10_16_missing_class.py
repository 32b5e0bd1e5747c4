"""Whether a student learns a class from soft labels alone. ``lowest_class`` in results.jsonl is its accuracy on that class.

Regime: CIFAR-10 at 16x16, 40 epochs; teachers with all 10,000 images, students, also the one alone, without the 1,000 trucks.
Not run yet.
"""

_base_ = '_data/fresh_16.py'

name = 'cifar10-16-missing-class'
title = 'CIFAR-10 at 16x16: students with 9,000 images of nine classes, teachers of ten, all test images, 10 fresh seeds'
options = dict(
    student={
        'train_dataloader.dataset': dict(
            _delete_=True,
            type='icckd_mm.without_classes',
            classes=['truck'],
            dataset=_base_.datasets['cifar10-16']['train'],
        )
    },
)
seconds = 130
