"""The figures of a study with their captions."""

from __future__ import annotations

from icckd_mm.lab.page import Block
from icckd_mm.lab.study.comparison import Comparison
from icckd_mm.lab.study.figures import cost_figure, gain_figure, ratio_figure, stability_figure, teacher_accuracy_figure
from icckd_mm.lab.study.method_figure import method_figure


def figure_blocks(comparison: Comparison) -> list[Block]:
    """All figures of the study, with captions."""
    over_ce = 'Bars are 95 % intervals of the differences paired by seed.'
    made = {
        'gain_method': method_figure(comparison),
        'gain_loss_weight': gain_figure(comparison, 'loss_weight'),
        'gain_margin': gain_figure(comparison, 'margin'),
        'ratio_loss_weight': ratio_figure(comparison),
        'gain_teacher_accuracy': teacher_accuracy_figure(comparison),
        'stability': stability_figure(comparison),
        'cost': cost_figure(comparison),
    }
    words = {
        'gain_method': ('Gain by teacher and student', f'Over the same student of the CE teacher. {over_ce}'),
        'gain_loss_weight': ('Gain against λ', f'At 0 stands the control: two views, no weight on the loss. {over_ce}'),
        'gain_margin': ('Gain against δ', f'-1 lets every image pass, 0 those classified correctly. {over_ce}'),
        'ratio_loss_weight': (
            'Intra/inter ratio against λ',
            "The quantity of the paper's theorem, on test features of the teachers; bars are 95 % intervals of the mean.",
        ),
        'gain_teacher_accuracy': (
            'Gain against the accuracy of the teacher',
            f'One mark per cell; the students of a teacher are side by side. {over_ce}',
        ),
        'stability': (
            'Stability of training with and without the margin',
            'Left: teachers in training. Right: change of the accuracy from one validation to the next, one value per seed.',
        ),
        'cost': (
            'Cost',
            'One thread per run, on machines that may have been busy: compare within this figure only. What is fine-tuned '
            '(icc-ft, mcmi) comes on top of the CE teacher that it starts from.',
        ),
    }
    return [
        Block(words[name][0], f'{words[name][1]} {comparison.data}', figure=figure, file=f'figures/{name}')
        for name, figure in made.items()
        if figure is not None
    ]
