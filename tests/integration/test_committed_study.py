"""The results in docs/study/results match their plans, and the reports match the results."""

import runpy
from pathlib import Path

import pytest

from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import read_plan
from icckd_mm.lab.experiment.results import read_results
from icckd_mm.lab.study.report import write_report

STUDY = Path(__file__).parents[2] / 'docs' / 'study'
RESULTS = sorted(STUDY.glob('results/*/results.jsonl'))


RECORDS = [path for path in RESULTS if path.with_name('plan.py').is_file()]  # only an earlier version can run them


def plan_of(results):
    if results in RECORDS:
        return read_plan(results.with_name('plan.py'))
    return read_plan(STUDY / 'plans' / f'{results.parent.name.replace("-", "_")}.py')


@pytest.mark.parametrize('results', RESULTS, ids=lambda path: path.parent.name)
def test_the_report_is_what_the_results_give(results, tmp_path):
    """The code of today writes it again from results.jsonl alone; the time limit checks that this takes seconds."""
    markdown, page = write_report(plan_of(results), read_results(results), tmp_path)
    assert markdown.read_text() == results.with_name('report.md').read_text()
    drawn = {file.name for file in (tmp_path / 'figures').glob('*.png')}
    assert page.read_text().count('src="data:image/png;base64,') == len(drawn) >= 2
    assert drawn == {file.name for file in results.parent.glob('figures/*.png')}


@pytest.mark.parametrize('results', [path for path in RESULTS if path not in RECORDS], ids=lambda path: path.parent.name)
def test_the_results_are_runs_of_the_plan(results):
    """Same factors, options, seeds and lengths as in the current plan, from one version of the code."""
    graph = build_graph(plan_of(results))
    asked = {described(run.recipe.stage, run.seed, run.recipe.config, run.recipe.factors) for run in graph.values()}
    records = read_results(results)
    found = {described(one['stage'], one['seed'], one['config'], one['factors']) for one in records}
    assert found <= asked
    assert len(found) == len(records)
    assert len({one['code'] for one in records}) == 1


def test_a_plan_of_an_earlier_version_says_so_and_cannot_be_run():
    """Its second views were dropped; the line names what to use."""
    (results,) = RECORDS
    assert 'A record of version 0.1.0' in results.with_name('plan.py').read_text()
    with pytest.raises(ValueError, match=r"second_view='half' was dropped after version 0.1.0; use 'no_grad' .* or 'bank'"):
        build_graph(plan_of(results))


def described(stage, seed, config, factors):
    return stage, seed, config, tuple(sorted((name, str(value)) for name, value in factors.items()))


@pytest.mark.slow
def test_the_table_of_what_tells_a_good_teacher_is_what_the_results_give(capsys):
    evidence = (STUDY.parent / 'evidence_parts.md').read_text()
    runpy.run_path(str(STUDY.parents[1] / 'tools/dev/readiness.py'), run_name='__main__')
    found = dict(line.split(': ', 1) for line in capsys.readouterr().out.splitlines() if ': +' in line or ': -' in line)
    for measure in ('accuracy', 'ECE', 'ratio'):
        value, _, count = found[measure].replace('[', '(', 1).replace(']', ')', 1).partition(' [')
        assert f'| {value} |' in evidence
        assert f'over {count.rstrip("]")} teachers' in evidence
