"""The command: stages one after another, each in its own process, and a summary after each."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu.record import TAIL, Record, Stage, read_record
from benchmarks.gpu.stages import WEIGHTS, box, facts, path_of, run_stage
from benchmarks.gpu.summary import summarise
from icckd_mm.engine.exact.atomic_backend import remove_stale_partials

LOG, SUMMARY, RESULTS, REPORT = 'log.txt', 'summary.md', 'results.jsonl', 'report.html'
FILES = (*(f'{name}.json' for name in WEIGHTS), RESULTS, REPORT, LOG, SUMMARY)  # at most 8 come back from a lent machine
LOG_BYTES = 15_000_000
GRACE, PATIENCE = 10.0, 30.0  # seconds after its time before a stage is asked to end, and before it is killed


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Ask a GPU what only a GPU can answer, in a few minutes; see docs/gpu.md.')
    parser.add_argument('--out', type=Path, help='folder of the files (default: that of --resume)')
    parser.add_argument('--minutes', type=float, default=8.0, help='time for all stages (default: 8)')
    parser.add_argument('--device', choices=['cuda', 'cpu'], default='cuda')
    parser.add_argument('--quick', action='store_true', help='small sizes, to check that it works; its figures mean nothing')
    parser.add_argument('--stages', nargs='+', choices=list(WEIGHTS), default=list(WEIGHTS), help='some stages (default: all)')
    parser.add_argument('--data', type=Path, help='tar archive of train/<class>/ and test/<class>/ images (default: digits)')
    parser.add_argument('--resume', type=Path, metavar='DIR', help='go on with what an earlier call left unfinished there')
    parser.add_argument('--stage', choices=list(WEIGHTS), help=argparse.SUPPRESS)  # in the process of a stage
    args = parser.parse_args(argv)
    args.out = args.out or args.resume
    if args.out is None:
        parser.error('give --out DIR, or --resume DIR')
    if not args.minutes > 0:
        parser.error(f'--minutes must be above 0, got {args.minutes:g}')
    if args.resume is not None and not args.resume.is_dir():
        parser.error(f'--resume {args.resume} is not a folder; give the --out of an earlier call')
    if args.data is not None and not args.data.is_file():
        parser.error(f'--data {args.data} does not exist; leave it out to use the digits')
    return args


def main(script: Path, argv: Sequence[str] | None = None) -> int:
    """Run the stages, or one of them in this process.

    Args:
        script: Path of the script, which the processes of the stages start again.
        argv: Command line. Defaults to ``sys.argv[1:]``.

    Returns:
        Exit status: 1 if a check or a stage failed; running out of time does not count as one.
    """
    start = time.perf_counter()
    args = parse_args(argv)
    out, data = args.out.resolve(), args.data and args.data.resolve()
    until = start + 60 * args.minutes
    if args.stage:
        return run_stage(Stage(args.stage, out, args.device, args.quick, until, data))
    if args.device == 'cuda':
        import torch

        if not torch.cuda.is_available():
            print('error: torch finds no GPU; --device cpu --quick shows that everything runs', file=sys.stderr)
            return 2
    out.mkdir(parents=True, exist_ok=True)
    _take_over(args.resume, out)
    stages = [name for name in WEIGHTS if name in args.stages]
    for index, name in enumerate(stages):
        seconds = box(stages[index:], until - time.perf_counter())
        _in_a_process(script, Stage(name, out, args.device, args.quick, time.perf_counter() + seconds, data))
        (out / SUMMARY).write_text(summarise(out), encoding='utf-8')
    print(summarise(out))
    return int(
        any(item['outcome'] == 'failed' for name in stages for item in read_record(out / f'{name}.json')['items'].values())
    )


def _take_over(earlier: Path | None, out: Path) -> None:
    """Begin with the files of an earlier call, or with none."""
    for name in FILES:
        if earlier is None:
            (out / name).unlink(missing_ok=True)
        elif earlier.resolve() != out and (earlier / name).is_file():
            shutil.copyfile(earlier / name, out / name)


def _in_a_process(script: Path, stage: Stage) -> None:
    """Run a stage unless it is finished, and see to it that its file says how it ended."""
    path = path_of(stage)
    earlier = read_record(path)
    same = all(earlier.get(name) == value for name, value in facts(stage).items())
    good = all(item['outcome'] in ('passed', 'skipped') for item in earlier['items'].values())
    if same and good and earlier.get('status') == 'finished':
        print(f'{stage.name}: finished before', flush=True)
        return
    seconds = stage.seconds_left
    print(f'{stage.name}: at most {seconds:.0f} s', flush=True)
    command = [sys.executable, '-I', str(script), '--stage', stage.name, '--out', str(stage.out), '--device', stage.device]
    command += [f'--minutes={max(seconds, 1) / 60}', *(['--quick'] if stage.quick else [])]
    command += ['--data', str(stage.data)] if stage.data else []
    environment = {**os.environ, 'CUBLAS_WORKSPACE_CONFIG': ':4096:8'}  # for deterministic=True
    if stage.device == 'cpu':
        environment['CUDA_VISIBLE_DEVICES'] = ''  # mmengine would use a GPU that it sees
    with open(stage.out / LOG, 'ab') as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )
        try:
            status = _wait(process, seconds)
        finally:
            _end(process)
    remove_stale_partials(stage.out)
    _trim(stage.out / LOG)
    record = Record(path, facts(stage))
    for name in [name for name, item in record.items.items() if item['outcome'] == 'running']:
        record.put(name, 'failed' if status else 'no time', error=f'its process ended with status {status}')
    if status and all(item['outcome'] != 'failed' for item in record.items.values()):
        tail = (stage.out / LOG).read_text(encoding='utf-8', errors='replace').splitlines()[-TAIL:]
        record.put('the stage itself', 'failed', error=f'its process ended with status {status}', traceback=tail)
    record.finish()


def _wait(process: subprocess.Popen, seconds: float) -> int:
    """Its exit status; 0 if its time is up."""
    try:
        return process.wait(seconds + GRACE)
    except subprocess.TimeoutExpired:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        return 0


def _end(process: subprocess.Popen) -> None:
    """End the process and what it has started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdin:
        process.stdin.close()


def _trim(log: Path) -> None:
    """Keep the end of a log that is too long to come back."""
    if log.stat().st_size > LOG_BYTES:
        log.write_bytes(log.read_bytes()[-LOG_BYTES:])
