#!/usr/bin/env python
"""Run a plan: train each of its runs once, and write a report with statistics over seeds."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from icckd_mm.config.command_line import run
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.lab.clock import clock
from icckd_mm.lab.experiment.devices import number_of_workers, visible_gpus
from icckd_mm.lab.experiment.graph import Run, build_graph, levels
from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.experiment.plan_file import read_plan
from icckd_mm.lab.experiment.results import RESULTS, read_results
from icckd_mm.lab.experiment.runner import Study
from icckd_mm.lab.experiment.slurm import write_slurm
from icckd_mm.lab.study.report import write_report


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('plan', help='path of the plan, e.g. docs/study/plans/digits.py')
    parser.add_argument('--work-dir', help='folder for runs and results (default: work_dirs/<name of the plan>)')
    parser.add_argument(
        '--workers',
        type=int,
        help='maximum number of runs at a time (default: one per core; on GPUs as many as memory allows)',
    )
    parser.add_argument(
        '--memory',
        type=float,
        metavar='MIB',
        help='GPU memory of a run until one of its kind has ended (default: the first runs alone)',
    )
    parser.add_argument('--resume', action='store_true', help='resume unfinished runs from their newest checkpoint')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument('--dry-run', action='store_true', help='print the runs still to do and the estimated time')
    instead.add_argument('--report', action='store_true', help='write the report again from results.jsonl without training')
    instead.add_argument('--slurm', action='store_true', help='write the plan as Slurm array jobs without training')
    instead.add_argument('--only', metavar='RUN', help='do only this run (an element of a Slurm array)')
    instead.add_argument('--collect', action='store_true', help='write results and report of the runs done with --only')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run a plan, or carry out the action of a flag.

    Args:
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.

    Raises:
        ValueError: If the plan or a flag cannot be used.
    """
    args = parse_args(argv)
    if args.memory is not None:
        check_positive('--memory', args.memory)
    plan = read_plan(args.plan)
    folder = Path(args.work_dir or Path('work_dirs') / plan.name)
    if args.report:
        report(plan, folder)
        return
    gpus = visible_gpus()
    workers = number_of_workers(args.workers)
    study = Study(
        build_graph(plan), folder, plan.seconds, say=lambda line: print(line, flush=True), strict_data=plan.strict_data
    )
    if args.dry_run:
        show(study, workers)
    elif args.slurm:
        print(f'submit with: bash {write_slurm(study.todo(), args.plan, folder)}')
    elif args.collect:
        study.collect()
        report(plan, folder)
    elif args.only:
        only(study, args.only, args.resume)
    else:
        failed = study.run(workers, args.resume, gpus, args.memory)
        if read_results(folder / RESULTS):
            report(plan, folder)
        if failed:
            lines = ''.join(f'\n  {name}: {reason}' for name, reason in failed.items())
            print(f'error: {len(failed)} of {len(study.graph)} runs have no result:{lines}', file=sys.stderr)
            sys.exit(1)


def report(plan: Plan, folder: Path) -> None:
    markdown, page = write_report(plan, read_results(folder / RESULTS), folder)
    print(f'report: {markdown} and {page}')


def only(study: Study, name: str, resume: bool) -> None:
    from icckd_mm.lab.experiment.train_run import train_run  # in this process, without a worker

    if name not in study.graph:
        raise ValueError(f'--only {name}: the plan has no such run; write the task lists again with --slurm')
    if name in study.records() and name not in {item.name for item in study.todo()}:
        print(f'{name} is finished')
        return
    torch.set_num_threads(1)
    study.check_data([study.graph[name]])
    train_run(study.task(study.graph[name], resume))


def show(study: Study, workers: int) -> None:
    todo = study.todo()
    for number, level in enumerate(levels(list(study.graph.values())), 1):
        for (stage, method, teacher), count in sorted(Counter(map(kind, level)).items()):
            print(f'level {number}: {count:5d} {stage} runs {method}' + (f' of {teacher} teachers' if teacher else ''))
    seconds = study.seconds_left(todo, workers)
    time = 'unknown; set seconds in the plan' if seconds is None else f'{clock(seconds)} with {workers} workers'
    print(f'{len(study.graph)} runs, {len(study.graph) - len(todo)} of them finished; time left: {time}')


def kind(item: Run) -> tuple[str, str, str]:
    recipe = item.recipe
    return recipe.stage, recipe.method, recipe.parent.method if recipe.parent and recipe.stage == 'student' else ''


if __name__ == '__main__':
    run(main, resumes=True)
