"""Writes ``tune.md``: the result of a tuning, and how to train with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from icckd_mm.lab.clock import clock
from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.recipe import Recipe
from icckd_mm.lab.experiment.train_run import Task, command, last_checkpoint
from icckd_mm.lab.page import markdown_table
from icckd_mm.lab.stats.paired import FEWEST_SEEDS, PairedDifference, compare, verdicts
from icckd_mm.lab.stats.power import seeds_needed
from icckd_mm.lab.tuning.budget import length
from icckd_mm.lab.tuning.candidate import Candidate, Values
from icckd_mm.lab.tuning.setting import CHECKPOINT, METHOD
from icckd_mm.lab.tuning.standings import Rung
from icckd_mm.lab.tuning.tuner import Tuner

NOT_RUN = 'not run'
NOTE = (
    'Each rung trains from scratch, since a schedule depends on its length; only the ranking is kept. The accuracy is that of '
    'the last epoch of the *student*, on images held out from the training set; the test set was not used. It is slightly '
    'too high for the winner, which was chosen by it: measure the final accuracy on the test set, once. '
    'Ranks of short runs may differ from those of longer ones.'
)
NO_WINNER = (
    'No seed of the last rung has all its candidates: no winner. Continue with the same command, and with more --budget if '
    'needed.'
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


def tune_report(tuner: Tuner, rungs: Sequence[Rung], about: Sequence[str]) -> tuple[Values | None, str, list[str]]:
    """Winner, verdict and the sections of the report.

    Args:
        tuner: After its run.
        rungs: The rungs of the search, and the finals.
        about: Lines on data, configs and budget.

    Returns:
        Values of the winner, which may be the control, None if the last rung has no result;
        the verdict; Markdown without the commands.
    """
    last = rungs[-1]
    control, *finalists = last.candidates
    found = {one: {seed: tuner.results.accuracy(one, last.level, seed) for seed in last.seeds} for one in last.candidates}
    seeds = [seed for seed in last.seeds if all(found[one][seed] is not None for one in found)]
    parts = ['# Tuning of the intra-class contrastive loss', '\n'.join(f'- {line}' for line in about), NOTE]
    if not seeds or not finalists:
        return None, NO_WINNER, [*parts, f'**{NO_WINNER}**', *_trials(tuner, rungs)]
    values = {one: [found[one][seed] or 0.0 for seed in seeds] for one in found}
    comparisons = {one: compare(values[one], values[control]) for one in finalists}
    judged = dict(zip(finalists, verdicts(list(comparisons.values()))))
    best = max(finalists, key=lambda one: fmean(values[one]))
    winner = best if fmean(values[best]) > fmean(values[control]) else control
    text = _verdict(winner, best, comparisons[best], judged[best][1], len(seeds))
    rows = [['candidate', 'λ', 'δ', 'τ', *(f'seed {seed}' for seed in seeds), 'mean', 'less control', 'p (Holm)', 'verdict']]
    for one in found:
        of_control = ['', '', ''] if one.is_control else _against(comparisons[one], judged[one])
        figures = [f'{value:.2f}' for value in (*values[one], fmean(values[one]))]
        rows.append([one.name, *_three(one.values), *figures, *of_control])
    title = f'## The last rung: {length(tuner.setting.epochs["student"], last.level)} epochs of the student'
    return winner.values, text, [*parts, f'**{text}**', title, markdown_table(rows), *_trials(tuner, rungs)]


def _verdict(winner: Candidate, best: Candidate, found: PairedDifference, verdict: str, seeds: int) -> str:
    difference = f'{found.difference.mean:+.2f} points over {seeds} seed{"s" * (seeds > 1)}'
    if winner.is_control:
        return (
            f'The control was not beaten: the best candidate, {best.name}, differs from it by {difference}. On these data, '
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
    head = f'Winner: {winner.name}' if shown else f'No winner is shown. Ahead is {winner.name}'
    return f'{head}, {difference} against the control (λ = 0). {tail}'


def _trials(tuner: Tuner, rungs: Sequence[Rung]) -> list[str]:
    rows = [['rung', 'epochs', 'candidate', 'λ', 'δ', 'τ', 'seed', 'student', 'its teacher']]
    equal = []
    for number, rung in enumerate(rungs, 1):
        found = {
            (one, seed): {stage: _reached(tuner, one, rung.level, seed, stage) for stage in ('student', 'teacher')}
            for one in rung.candidates
            for seed in rung.seeds
        }
        begun = {seed for one, seed in found if found[one, seed] != dict(student=NOT_RUN, teacher=NOT_RUN)}
        epochs = str(length(tuner.setting.epochs['student'], rung.level))
        for one in sorted(rung.candidates, key=lambda one: -_mean(tuner, one, rung)):
            for seed in sorted(begun):
                rows.append([str(number), epochs, one.name, *_three(one.values), str(seed), *found[one, seed].values()])
        equal += [str(number)] if len({_mean(tuner, one, rung) for one in rung.candidates}) == 1 else []
    cut = f' The budget ended before all {len(rungs[-1].seeds)} seeds of the last rung.' if tuner.stopped else ''
    chance = f' In rung {" and ".join(equal)} all have the same accuracy, so that its choice is arbitrary.' if equal else ''
    spent = f'{clock(tuner.allowance.spent)} of {clock(tuner.budget)} were spent.'
    return ['## All trials', f'{spent}{cut}{chance} Held-out top-1 in percent; best first in each rung.', markdown_table(rows)]


def _reached(tuner: Tuner, candidate: Candidate, level: int, seed: int, stage: str) -> str:
    record = tuner.results.record(candidate, level, seed, stage)
    if record is not None:
        return f'{record["last_accuracy"]:.2f}'
    return 'failed' if (candidate.number, seed) in tuner.failed else NOT_RUN


def _mean(tuner: Tuner, candidate: Candidate, rung: Rung) -> float:
    """Mean accuracy of the students that have finished, 0 if none has."""
    found = [tuner.results.accuracy(candidate, rung.level, seed) for seed in rung.seeds]
    return fmean([value for value in found if value is not None] or [0.0])


def _against(found: PairedDifference, judged: tuple[float, str]) -> list[str]:
    interval, (p_value, verdict) = found.difference, judged
    bounds = '' if math.isnan(interval.low) else f' [{interval.low:+.2f}, {interval.high:+.2f}]'
    return [f'{interval.mean:+.2f}{bounds}', '' if math.isnan(p_value) else f'{p_value:.3f}', verdict]


def _three(values: Values) -> list[str]:
    return [f'{values[name]:g}' for name in ('loss_weight', 'margin', 'temperature')]
