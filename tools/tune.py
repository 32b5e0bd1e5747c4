#!/usr/bin/env python
"""Tune weight, margin and temperature of the intra-class contrastive loss on your data, by the student's accuracy."""

from __future__ import annotations

import argparse
import copy
import difflib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from icckd_mm.config.command_line import OptionsAction, check_files, read_config, run
from icckd_mm.config.options import apply_options
from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.lab.clock import clock
from icckd_mm.lab.experiment.devices import number_of_workers, visible_gpus
from icckd_mm.lab.tuning.budget import MOST_CANDIDATES, MOST_SEEDS, read_budget
from icckd_mm.lab.tuning.candidate import Values
from icckd_mm.lab.tuning.held_out import check_same_images, check_trainable, contrast_hook
from icckd_mm.lab.tuning.setting import make_setting
from icckd_mm.packaged import configs_by_stem

REPORT = 'tune.md'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the distillation, e.g. configs/icckd/distill/icckd-kd_logits_..._digits.py')
    parser.add_argument('--budget', required=True, help='time to spend in all calls, such as 90s, 30m or 2h')
    parser.add_argument('--teacher', help='config of the teacher (default: that of the checkpoint in the config)')
    parser.add_argument('--held-out', type=float, default=0.1, help='held-out share of the training set (default: 0.1)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the split, the search and the runs (default: 0)')
    parser.add_argument('--candidates', type=int, default=MOST_CANDIDATES, help='maximum number (default: %(default)s)')
    parser.add_argument('--seeds', type=int, default=MOST_SEEDS, help='maximum number in the finals (default: %(default)s)')
    for name, where in (('cfg', 'both configs'), ('teacher', "the teacher's config"), ('student', "the student's config")):
        parser.add_argument(
            f'--{name}-options', nargs='+', action=OptionsAction, default={}, metavar='KEY=VALUE', help=f'override {where}'
        )
    parser.add_argument('--work-dir', help='folder for runs and results (default: work_dirs/tune_<name of the config>)')
    parser.add_argument('--workers', type=int, help='runs at a time (default: one per GPU, or one per core without GPUs)')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Values | None:
    """Begin a tuning, or join the one in the work dir, and write ``tune.md``.

    Args:
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.

    Returns:
        Values, optional: Those of the winner, or of the control if no candidate is better; None if the budget ended too early.

    Raises:
        ValueError: If Optuna is missing, a config, the data or a flag cannot be used, or the budget is too small.
    """
    args = parse_args(argv)
    if importlib.util.find_spec('optuna') is None:
        raise ValueError("tune.py needs optuna: pip install 'icckd_mm[tune]'")
    from icckd_mm.lab.tuning.report import final_commands, tune_report  # they import optuna
    from icckd_mm.lab.tuning.tuner import Tuner

    budget = read_budget(args.budget)
    for name, least in (('candidates', 2), ('seeds', 2), ('seed', 0)):
        if getattr(args, name) < least:
            raise ValueError(f'--{name} must be at least {least}, got {getattr(args, name)}')
    if not 0 < args.held_out < 1:
        raise ValueError(f'--held-out must lie between 0 and 1, got {args.held_out:g}; 0.1 holds out a tenth of each class')
    gpus = visible_gpus()
    workers = number_of_workers(args.workers, len(gpus))
    folder = Path(args.work_dir or f'work_dirs/tune_{Path(args.config).stem}')
    paths, options, configs = read_configs(args)
    most = (min(args.candidates, MOST_CANDIDATES), args.seeds)
    setting, images = make_setting(configs, folder, args.held_out, args.seed, most)
    tuner = Tuner(setting, budget, workers, gpus, say=lambda line: print(line, flush=True))
    print(f'{images[0]} images to train on, {images[1]} held out; {workers} at a time in {folder}', flush=True)
    rungs = tuner.run()
    about = [
        f'teacher {paths["teacher"]}, student {paths["student"]}',
        f'{images[0]} images to train on, {images[1]} held out: one of them is {100 / images[1]:.2f} points',
        f'budget {args.budget}, seed {args.seed}, {workers} runs at a time',
    ]
    started = configs['teacher'].get('load_from')
    if started:
        about.append(f'**the teacher starts from {started}; if that was trained on all images, it has seen the held-out ones**')
    winner, verdict, parts = tune_report(tuner, rungs, about)
    print(verdict)
    if winner is not None:
        telling = ['loss_weight'] if winner['loss_weight'] == 0 else list(winner)
        tuned = {f'{setting.loss}.{name}': winner[name] for name in telling}
        print('--cfg-options ' + ' '.join(f'{key}={value}' for key, value in tuned.items()))
        commands = final_commands(paths, options, tuned, setting.epochs['teacher'], f'{folder}/final', args.seed)
        parts += ['## Training with it, on the whole training set', '```bash\n' + '\n'.join(commands) + '\n```']
    write_atomically(folder / REPORT, ('\n\n'.join(parts) + '\n').encode())
    print(f'{clock(tuner.allowance.spent)} of {clock(budget)} spent; report: {folder / REPORT}')
    return winner


def read_configs(args: argparse.Namespace) -> tuple[dict[str, str], dict[str, dict[str, Any]], dict[str, Config]]:
    """Paths, options and contents of both configs, checked as far as possible without the data."""
    options = {stage: {**args.cfg_options, **getattr(args, f'{stage}_options')} for stage in ('teacher', 'student')}
    student = read_config(namespace(args.config))
    if 'teacher_ckpt' not in student.get('model', {}):
        raise ValueError(
            f'{args.config} is not a distillation: it has no model.teacher_ckpt; give the config of a distillation'
        )
    paths = {'teacher': args.teacher or teacher_of(student, args.config), 'student': args.config}
    configs = {'teacher': read_config(namespace(paths['teacher'])), 'student': student}
    for stage, cfg in configs.items():
        apply_options(cfg, copy.deepcopy(options[stage]))
        try:
            check_trainable(cfg)
            if stage == 'teacher':
                contrast_hook(cfg)
        except ValueError as error:
            raise ValueError(f'{paths[stage]}: {error}') from None
    check_same_images(configs['teacher'], configs['student'])
    check_files(configs['teacher'], ['train_dataloader'])
    return paths, options, configs


def namespace(config: str) -> argparse.Namespace:
    return argparse.Namespace(config=config, work_dir=None, seed=None, launcher='none', local_rank=0)


def teacher_of(student: Config, path: str) -> str:
    """The config whose default work dir holds the student's teacher: beside the student's, or of this package."""
    name = Path(student.model.teacher_ckpt or '').parent.name
    beside = Path(path).with_name(f'{name}.py')
    if beside.is_file():
        return str(beside)
    known = configs_by_stem()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f', e.g. {known[near[0]]}' if near else ''
        raise ValueError(f'no config here has trained the teacher of {path}; set its config with --teacher{hint}')
    return known[name]


if __name__ == '__main__':
    run(main, resumes=True, flag='')
