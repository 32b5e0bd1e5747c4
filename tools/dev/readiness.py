#!/usr/bin/env python
"""Print which measure of a teacher tells the gain of its KD student, over all studies of docs/study/results."""

from __future__ import annotations

from pathlib import Path

from icckd_mm.lab.experiment.plan_file import read_plan
from icckd_mm.lab.experiment.results import RESULTS, read_results
from icckd_mm.lab.study.comparison import Comparison, compare_records
from icckd_mm.lab.study.readiness import pooled_readiness

STUDY = Path(__file__).resolve().parents[2] / 'docs/study'


def finished_studies() -> list[Comparison]:
    """The studies that have results; records of an earlier version have their plan beside them."""
    found = []
    for results in sorted(STUDY.glob(f'results/*/{RESULTS}')):
        own, shared = results.with_name('plan.py'), STUDY / 'plans' / f'{results.parent.name.replace("-", "_")}.py'
        found.append(compare_records(read_plan(own if own.is_file() else shared), read_results(results)))
    return found


def main() -> None:
    studies = finished_studies()
    print(f'{len(studies)} studies read; those without five different teachers of a KD student do not count')
    for name, found in pooled_readiness(studies):
        print(f'{name}: {found}')


if __name__ == '__main__':
    main()
