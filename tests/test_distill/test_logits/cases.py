"""Inputs for which the values of published losses between logits are known, and every loss with inputs that fit it."""

import torch

STUDENT = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], dtype=torch.float64)
TEACHER = torch.tensor([[3.0, 1.0, -1.0], [1.0, 0.0, 4.0]], dtype=torch.float64)
LABELS = torch.tensor([0, 2])
DISTANCES = torch.tensor([[0.0, 0.2, 0.6], [0.2, 0.0, 0.4], [0.6, 0.4, 0.0]], dtype=torch.float64)
PAIR = dict(preds_S=STUDENT, preds_T=TEACHER)
LABELLED = dict(**PAIR, gt_labels=LABELS)


def waves(*shape):
    """sin and cos of 1, 2, 3, …"""
    angles = torch.arange(1, 1 + torch.Size(shape).numel(), dtype=torch.float64).view(shape)
    return angles.sin(), angles.cos()


def maps():
    """Maps of 4x4 with two channels, whose classifiers are the identity."""
    student, teacher = waves(2, 2, 4, 4)
    own = dict(centers=torch.eye(2, dtype=torch.float64), bias=torch.zeros(2, dtype=torch.float64))
    classifiers = {f'{who}_{name}': value for who in 'st' for name, value in own.items()}
    return dict(s_feature=student, t_feature=teacher, **classifiers, gt_labels=torch.tensor([0, 1]))


# name, options, arguments, value
VALUES = [
    ('KLDivergence', dict(tau=4.0), PAIR, 0.32873613),
    ('KLDivergence', dict(tau=1.0), PAIR, 0.09263895),
    ('KLDivergence', dict(tau=2.0, standardize=True), PAIR, 0.03745099),
    ('KLDivergence', dict(tau=2.0, standardize=True, loss_weight=9.0), PAIR, 0.33705895),
    ('KLDivergence', dict(tau=2.0, standardize=True, loss_weight=9.0), {**PAIR, 'preds_S': 5 * STUDENT + 7}, 0.33705896),
    ('DKDLoss', dict(tau=4.0, alpha=1.0, beta=0.0), LABELLED, 0.18565693),
    ('DKDLoss', dict(tau=4.0, alpha=0.0, beta=1.0), LABELLED, 0.30852415),
    ('DKDLoss', dict(tau=4.0, alpha=1.0, beta=8.0), LABELLED, 2.65385015),
    ('DKDLoss', dict(tau=2.0, alpha=9.0, beta=72.0, standardize=True), LABELLED, 5.76970108),
    ('DKDLoss', dict(tau=2.0, alpha=1.0, beta=8.0, standardize=True, loss_weight=9.0), LABELLED, 5.76970108),
    ('SDDKLDivergence', dict(grids=(1,)), maps(), 0.01375328),
    ('SDDKLDivergence', dict(grids=(1, 2)), maps(), 0.06691908),
    ('SDDKLDivergence', dict(), maps(), 0.53012910),
    ('TransformedTeacherLoss', dict(gamma=0.25), PAIR, 0.20232870),
    ('TransformedTeacherLoss', dict(gamma=0.25, weighted=True), PAIR, 0.36944419),
    ('TransformedTeacherLoss', dict(gamma=0.1), PAIR, 0.37693806),
    ('TransformedTeacherLoss', dict(gamma=0.1, weighted=True), PAIR, 0.90842422),
    ('TransformedTeacherLoss', dict(gamma=1.0), PAIR, 0.09263895),
    ('TransformedTeacherLoss', dict(gamma=1.0, weighted=True, loss_weight=2.0), PAIR, 2 * 0.09263895),
    ('HardLabelLoss', dict(), PAIR, (0.40760596 + 0.16984602) / 2),
    ('NKDLoss', dict(gamma=0.0), LABELLED, 0.25616742),
    ('NKDLoss', dict(tau=1.0, gamma=1.5), LABELLED, 1.36375608),
    ('NKDLoss', dict(tau=4.0, gamma=1.5), LABELLED, 16.89786501),
    ('NKDLoss', dict(tau=3.0, gamma=3.5), LABELLED, 22.11531567),
    ('MultiLevelLogitLoss', dict(), {k: v.repeat(2, 1) for k, v in PAIR.items()}, 2.11191485 + 0.03229349 + 0.01127299),
    ('CurriculumKLDivergence', dict(), PAIR, 0.37835093),
]

LOGITS = [
    ('HardLabelLoss', dict()),
    ('KLDivergence', dict(tau=4.0)),
    ('KLDivergence', dict(tau=2.0, standardize=True)),
    ('TransformedTeacherLoss', dict()),
    ('TransformedTeacherLoss', dict(gamma=0.2, weighted=True)),
    ('MultiLevelLogitLoss', dict()),
    ('MultiLevelLogitLoss', dict(standardize=True)),
    ('CurriculumKLDivergence', dict()),
]
LABELLED_LOGITS = [
    ('DKDLoss', dict(tau=2.0, alpha=1.0, beta=8.0, standardize=True)),
    ('NKDLoss', dict(tau=3.0, gamma=3.5)),
    ('WassersteinLogitLoss', dict(tau=2.0)),
    ('USKDLoss', dict(num_classes=5, in_channels=3)),
]
REGIONS = [('SDDKLDivergence', dict()), ('SDDDKDLoss', dict(grids=(1, 2)))]
ALL = [*LOGITS, *LABELLED_LOGITS, *REGIONS]
IDS = [f'{name}-{"-".join(options)}'.rstrip('-') for name, options in ALL]


def arguments(name, dtype=torch.float64, rows=6):
    """Random arguments that fit; the student's come first."""
    generator = torch.Generator().manual_seed(1)

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    labels = torch.randint(5, (rows,), generator=generator)
    if (name, {}) in REGIONS or name == 'SDDDKDLoss':
        found = dict(s_feature=random(rows, 3, 4, 4), s_centers=random(5, 3), s_bias=random(5))
        return {
            **found,
            't_feature': random(rows, 7, 8, 8),
            't_centers': random(5, 7),
            't_bias': random(5),
            'gt_labels': labels,
        }
    if name == 'USKDLoss':
        return dict(s_feature=random(rows, 3, 2, 2), preds_S=random(rows, 5), gt_labels=labels)
    found = dict(preds_S=random(rows, 5), preds_T=2 * random(rows, 5))
    if name in dict(LABELLED_LOGITS):
        found['gt_labels'] = labels
    if name == 'WassersteinLogitLoss':
        found['t_centers'] = random(5, 7)
    return found


def of_student(name):
    """Names of the arguments that need a gradient."""
    names = arguments(name)
    return [key for key in names if key.startswith(('preds_S', 's_'))]
