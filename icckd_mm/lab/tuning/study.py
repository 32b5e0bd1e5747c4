"""The Optuna study of a tuning: created or joined, asked for trials, and checked, since its journal is a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import numpy as np
import optuna
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.tuning.budget import ETA, FINALS, Plan
from icckd_mm.lab.tuning.candidate import CONTROL
from icckd_mm.lab.tuning.journal import JOURNAL, open_journal
from icckd_mm.lab.tuning.search_space import Space, check_values, search_space
from icckd_mm.lab.tuning.setting import Setting

NAME, PLAN, AGAIN = 'tuning', 'plan', 'again_after'
RUNG = 'completed_rung_'  # Optuna's name for the accuracies that its pruner compares


def join_study(setting: Setting) -> optuna.Study:
    """Open the study in the work dir, or create it; the caller holds the lock of the work dir.

    The control and the config's own values are enqueued first. Trials that failed are enqueued again.

    Args:
        setting: The settings.

    Raises:
        ValueError: If the work dir holds another tuning, or its journal is damaged.
    """
    path, space = setting.folder / JOURNAL, search_space(setting.default)
    begun = path.exists() and path.stat().st_size > 0
    if not begun and (setting.folder / 'runs').exists():
        raise ValueError(f'{setting.folder} holds runs, but no {JOURNAL}; name another --work-dir')
    storage = open_journal(path, space)
    names = [one.study_name for one in storage.get_all_studies()]
    if begun and names != [NAME]:
        raise ValueError(f'{path} holds no tuning, but {", ".join(names)[:100] or "nothing"}; name another --work-dir')
    pruner = SuccessiveHalvingPruner(min_resource=1, reduction_factor=ETA)
    if begun:
        study = optuna.load_study(storage=storage, study_name=NAME, pruner=pruner)
    else:
        study = optuna.create_study(storage=storage, study_name=NAME, direction='maximize', pruner=pruner)
    _check_study(study, setting)
    for trial in study.trials:
        if trial.state not in (TrialState.WAITING, TrialState.FAIL):
            try:
                check_trial(trial, space)
            except ValueError as error:
                raise ValueError(f'{path}: {error}; name another --work-dir') from None
    for number, values in ((CONTROL, {}), (CONTROL + 1, setting.default)):
        if len(study.trials) == number:
            study.enqueue_trial(dict(values))
    _enqueue_failed(study, space)
    return study


def ask(study: optuna.Study, space: Space, seed: int, number: int | None = None) -> optuna.Trial:
    """A trial with its values, for which Optuna knows the finished trials.

    Args:
        study: The study.
        space: The ranges.
        seed: With the number of the trial and those finished before it, this decides the values.
        number: A trial to take over from a process that was killed. Defaults to the next trial.

    Raises:
        ValueError: If the trial was enqueued with values outside the search space; it has failed then.
    """
    trial = study.ask() if number is None else optuna.Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)
    try:
        check_values(study.get_trials(deepcopy=False)[trial.number], space)
    except ValueError:
        study.tell(trial, state=TrialState.FAIL)
        raise
    draw = int(np.random.SeedSequence([seed, trial.number]).generate_state(1)[0])
    study.sampler = TPESampler(seed=draw, multivariate=False)  # the multivariate one needs the same values in all trials
    if trial.number != CONTROL:
        for name, one in space.items():
            trial.suggest_float(name, one.low, one.high, log=one.log)
    return trial


def read_plan(study: optuna.Study, deepest: int) -> Plan | None:
    """The plan, None until the first pair of runs is measured.

    Raises:
        ValueError: If the journal holds something else.
    """
    kept = study.user_attrs.get(PLAN)
    if kept is None:
        return None
    most = FINALS[0][0]
    if not isinstance(kept, Mapping) or set(kept) != {'top', 'finalists'} or not all(type(one) is int for one in kept.values()):
        raise ValueError(
            f'{JOURNAL}: the plan of a tuning has top and finalists, got {str(kept)[:100]}; name another --work-dir'
        )
    if not (0 <= kept['top'] <= deepest and 1 <= kept['finalists'] <= most):
        raise ValueError(f'{JOURNAL}: top must lie in 0 to {deepest} and finalists in 1 to {most}; name another --work-dir')
    return Plan(**kept)


def write_plan(study: optuna.Study, plan: Plan) -> None:
    """Keep the plan for all processes."""
    study.set_user_attr(PLAN, asdict(plan))


def check_trial(trial: FrozenTrial, space: Space) -> None:
    """Refuse a trial whose values or accuracies this search cannot have written.

    Raises:
        ValueError: If it has others.
    """
    check_values(trial, space)
    stored = [value for key, value in trial.system_attrs.items() if key.startswith(RUNG)]
    scores = [*trial.intermediate_values.values(), *stored, *(trial.values or [])]
    if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and not trial.intermediate_values:
        raise ValueError(f'trial {trial.number} has ended without an accuracy')
    if not all(type(score) in (int, float) and 0 <= score <= 100 for score in scores):
        raise ValueError(f'trial {trial.number}: accuracies must lie between 0 and 100, got {str(scores)[:100]}')
    if list(trial.intermediate_values) != [ETA**rung for rung in range(len(trial.intermediate_values))]:
        raise ValueError(f'trial {trial.number} has the steps {str(list(trial.intermediate_values))[:100]}, not 1, 3, 9, 27')


def _check_study(study: optuna.Study, setting: Setting) -> None:
    if study.directions != [StudyDirection.MAXIMIZE]:
        raise ValueError(f'the study in {setting.folder / JOURNAL} does not maximise one accuracy; name another --work-dir')
    for name, value in {'settings': setting.digest(), 'code': code_version()}.items():
        kept = study.user_attrs.get(name)
        if kept is None and not study.trials:
            study.set_user_attr(name, value)
        elif kept != value:
            raise ValueError(
                f'{name} of the tuning in {setting.folder}: was {str(kept)[:50]}, is {value} now; '
                'the same command and code continue it, another --work-dir starts from scratch'
            )


def _enqueue_failed(study: optuna.Study, space: Space) -> None:
    """Try failed trials again, each once per call of the command: a full disk may have been the reason."""
    trials: Iterable[FrozenTrial] = study.trials
    again = {trial.user_attrs.get(AGAIN) for trial in study.trials}
    for trial in trials:
        if trial.state == TrialState.FAIL and trial.number not in again and set(trial.params) == set(space):
            study.enqueue_trial(dict(trial.params), user_attrs={AGAIN: trial.number})
