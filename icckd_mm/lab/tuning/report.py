"""Writes ``tune.md``: the result of a tuning, and how to train with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from icckd_mm.lab.experiment.clock import clock
from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.recipe import Recipe
from icckd_mm.lab.experiment.train_run import Task, command, last_checkpoint
from icckd_mm.lab.page import markdown_table
from icckd_mm.lab.stats.paired import FEWEST_SEEDS, PairedDifference, compare, verdicts
from icckd_mm.lab.stats.power import seeds_needed
from icckd_mm.lab.tuning.halving import CONTROL, DEFAULT, Rung, Values, length
from icckd_mm.lab.tuning.setting import CHECKPOINT, METHOD
from icckd_mm.lab.tuning.tuner import Tuner

NAMES = {CONTROL: 'control (λ = 0)', DEFAULT: 'default'}
NOTE = (
    'Each rung trains from scratch, since a schedule depends on its length; only the ranking is kept. The accuracy is that of '
    'the last epoch of the *student*, on images held out from the training set; the test set was not used. It is slightly '
    'too high for the winner, which was chosen by it: measure the final accuracy on the test set, once. '
    'Ranks of short runs may differ from those of longer ones.'
)
NO_WINNER = (
    'No seed of the last rung has all its candidates: no winner. Continue with --resume, and with more --budget if needed.'
)


def final_commands(
    configs: Mapping[str, str],
    options: Mapping[str, dict[str, Any]],
    tuned: dict[str, Any],
    epochs: int,
    folder: str,
    seed: int,
) -> list[str]:
    """The commands that train teacher and student on the whole training set.

    Args:
        configs: Paths of the user's configs by stage.
        options: The user's options by stage.
        tuned: Dotted keys of the loss in the teacher's config, and the values found.
        epochs: Epochs of the teacher.
        folder: Folder for the runs.
        seed: Seed.
    """
    teacher = Run('teacher', Recipe('teacher', METHOD, {}, configs['teacher'], {**options['teacher'], **tuned}), seed, epochs)
    recipe = Recipe('student', METHOD, {}, configs['student'], options['student'], teacher.recipe, CHECKPOINT)
    checkpoint = str(last_checkpoint(f'{folder}/teacher', teacher))
    return [
        command(Task(teacher, f'{folder}/teacher', None, False, '')),
        command(Task(Run('student', recipe, seed, 0, 'teacher'), f'{folder}/student', checkpoint, False, '')),
    ]


def tune_report(tuner: Tuner, history: Sequence[Sequence[int]], about: Sequence[str]) -> tuple[Values | None, str, list[str]]:
    """Winner, verdict and the sections of the report.

    Args:
        tuner: After its run.
        history: Candidates of each rung.
        about: Lines on data, configs and budget.

    Returns:
        Values of the winner, which may be the control, None if the last rung has no result;
        the verdict; Markdown without the commands.
    """
    rung, finalists = tuner.rungs[-1], list(history[-1])
    seeds = [seed for seed in rung.seeds if all(_accuracy(tuner, one, rung, seed) is not None for one in (CONTROL, *finalists))]
    parts = ['# Tuning of the intra-class contrastive loss', '\n'.join(f'- {line}' for line in about), NOTE]
    if not seeds:
        return None, NO_WINNER, [*parts, f'**{NO_WINNER}**', *_trials(tuner, history)]
    values = {one: [_accuracy(tuner, one, rung, seed) or 0.0 for seed in seeds] for one in (CONTROL, *finalists)}
    comparisons = {one: compare(values[one], values[CONTROL]) for one in finalists}
    judged = dict(zip(finalists, verdicts(list(comparisons.values()))))
    best = max(finalists, key=lambda one: fmean(values[one]))
    winner = best if fmean(values[best]) > fmean(values[CONTROL]) else CONTROL
    text = _verdict(winner, best, comparisons[best], judged[best][1], len(seeds))
    rows = [['candidate', 'λ', 'δ', 'τ', *(f'seed {seed}' for seed in seeds), 'mean', 'less control', 'p (Holm)', 'verdict']]
    for one in (CONTROL, *finalists):
        of_control = ['', '', ''] if one == CONTROL else _against(comparisons[one], judged[one])
        figures = [f'{value:.2f}' for value in (*values[one], fmean(values[one]))]
        rows.append([_name(one), *_three(tuner.setting.values(one)), *figures, *of_control])
    title = f'## The last rung: {length(tuner.setting.epochs["student"], rung.level)} epochs of the student'
    return tuner.setting.values(winner), text, [*parts, f'**{text}**', title, markdown_table(rows), *_trials(tuner, history)]


def _verdict(winner: int, best: int, found: PairedDifference, verdict: str, seeds: int) -> str:
    difference = f'{found.difference.mean:+.2f} points over {seeds} seed{"s" * (seeds > 1)}'
    if winner == CONTROL:
        return (
            f'The control was not beaten: the best candidate, {_name(best)}, differs from it by {difference}. On these data, '
            'at this length, the two views without the contrastive loss (λ = 0) are as good for the student.'
        )
    if seeds < FEWEST_SEEDS:
        tail = f'With fewer than {FEWEST_SEEDS} seeds there is no verdict.'
    elif verdict in ('better', 'worse'):
        tail = f'It is {verdict} than the control.'
    else:
        needed = seeds_needed(found.deviation, abs(found.difference.mean))
        tail = f'That does not prove a difference ({verdict}): it may be chance.'
        tail += f' About {needed} seeds would tell, if the difference is real.' if needed else ''
    shown = seeds >= FEWEST_SEEDS and verdict == 'better'
    head = f'Winner: {_name(winner)}' if shown else f'No winner is shown. Ahead is {_name(winner)}'
    return f'{head}, {difference} against the control (λ = 0). {tail}'


def _trials(tuner: Tuner, history: Sequence[Sequence[int]]) -> list[str]:
    rows = [['rung', 'epochs', 'candidate', 'λ', 'δ', 'τ', 'seed', 'student', 'its teacher']]
    for number, (rung, alive) in enumerate(zip(tuner.rungs, history), 1):
        for one in sorted((CONTROL, *alive), key=lambda one: -(tuner.trials.score(one, rung) or 0.0)):
            for seed in rung.seeds:
                teacher, student = (tuner.trials.records.get(run.name, {}) for run in tuner.setting.pair(one, rung.level, seed))
                reached = [_reached(teacher, student), _reached(student, teacher)][::-1]
                epochs = str(length(tuner.setting.epochs['student'], rung.level))
                rows.append([str(number), epochs, _name(one), *_three(tuner.setting.values(one)), str(seed), *reached])
    spent = f'{clock(tuner.trials.spent)} of {clock(tuner.budget)} were spent.'
    cut = ' The budget ended before the plan.' if tuner.stopped else ''
    level = [str(number) for number, pair in enumerate(zip(tuner.rungs, history), 1) if tuner.trials.is_level(*pair)]
    chance = f' In rung {" and ".join(level)} all have the same accuracy: the lower numbers were kept.' if level else ''
    return ['## All trials', f'{spent}{cut}{chance} Held-out top-1 in percent; best first in each rung.', markdown_table(rows)]


def _reached(record: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if 'last_accuracy' in record:
        return f'{record["last_accuracy"]:.2f}'
    return 'failed' if 'error' in record or 'error' in other else 'not run'


def _against(found: PairedDifference, judged: tuple[float, str]) -> list[str]:
    interval, (p_value, verdict) = found.difference, judged
    bounds = '' if math.isnan(interval.low) else f' [{interval.low:+.2f}, {interval.high:+.2f}]'
    return [f'{interval.mean:+.2f}{bounds}', '' if math.isnan(p_value) else f'{p_value:.3f}', verdict]


def _accuracy(tuner: Tuner, index: int, rung: Rung, seed: int) -> float | None:
    return tuner.trials.accuracy(index, rung.level, seed)


def _name(index: int) -> str:
    return NAMES.get(index, f'candidate {index}')


def _three(values: Values) -> list[str]:
    return [f'{values[name]:g}' for name in ('loss_weight', 'margin', 'temperature')]
