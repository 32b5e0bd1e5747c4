from pathlib import Path

import pytest

from icckd_mm.lab.experiment.plan import FACTORS
from icckd_mm.lab.experiment.plan_file import check_plan, read_plan

PLANS = sorted((Path(__file__).parents[3] / 'docs/study/plans').glob('*.py'))
SMALL = dict(name='small', seeds=[0, 1], designs=[dict(type='star', margin=[0.0, 0.5])])


def cells(**changes):
    return check_plan({**SMALL, **changes}).cells()


def icc(found):
    return [cell for cell in found if cell['teacher'] == 'icc' and cell['student'] != 'alone']


def test_a_star_changes_one_factor_at_a_time():
    found = icc(cells(designs=[dict(type='star', margin=[-1.0, 0.0, 0.5], queue_size=[8, 32, 64])]))
    changes = [{name: value for name, value in cell.items() if value != FACTORS[name]} for cell in found]
    assert sorted(changes, key=str) == sorted(
        [{}, {'margin': -1.0}, {'margin': 0.0}, {'queue_size': 8}, {'queue_size': 64}], key=str
    )


def test_a_product_has_all_combinations_around_the_given_default():
    found = icc(cells(default=dict(images=100), designs=[dict(type='product', loss_weight=[0.1, 0.2], temperature=[0.1, 0.5])]))
    assert {(cell['loss_weight'], cell['temperature']) for cell in found} == {(a, b) for a in (0.1, 0.2) for b in (0.1, 0.5)}
    assert {cell['images'] for cell in found} == {100}


def test_designs_overlap_without_cells_that_come_twice():
    star = dict(type='star', loss_weight=[0.02, 0.1])
    assert len(icc(cells(designs=[star, star, dict(type='product', loss_weight=[0.1, 0.3])]))) == 3


def test_every_cell_has_its_controls_in_its_own_place():
    found = cells(designs=[dict(type='product', images=[100, 200], student=['kd', 'ckd'])])
    for images in (100, 200):
        here = [cell for cell in found if cell['images'] == images]
        assert {cell['teacher'] for cell in here if cell['student'] == 'ckd'} == {'icc', 'ce', 'ce-2view'}
        assert 'alone' in {cell['student'] for cell in here}
    assert {cell['teacher'] for cell in cells(controls=[])} == {'icc'}
    teachers_only = cells(designs=[dict(type='product', student=['none'])])
    assert {cell['student'] for cell in teachers_only} == {'none'}


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(name='a b'), 'name must be made of'),
        (dict(seeds=[]), 'seeds must be a list'),
        (dict(seeds=[0, 0]), 'seeds must be a list of different'),
        (dict(seeds=[0.5]), 'seeds must be'),
        (dict(sedes=[0]), "'sedes' is not a field; did you mean seeds"),
        (dict(default=dict(lambda_=1)), "'lambda_' is not a factor"),
        (dict(designs=[dict(type='star', margins=[0])]), 'did you mean margin'),
        (dict(designs=[dict(type='grid', margin=[0])]), "type='star' or 'product'"),
        (dict(designs=[dict(type='star', margin=0.5)]), 'lists no values for margin'),
        (dict(designs=[]), 'designs must be a list'),
        (dict(controls=['icc']), 'controls must be some of'),
        (dict(networks=dict(both={})), 'networks holds dicts'),
        (dict(options=dict(all=3)), 'options holds dicts'),
        (dict(seconds=0), 'seconds must be above 0'),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        check_plan({**SMALL, **changes})


def test_files_that_are_no_plan_are_named(tmp_path):
    with pytest.raises(ValueError, match='does not exist'):
        read_plan(tmp_path / 'missing.py')
    broken = tmp_path / 'broken.py'
    broken.write_text('name = (')
    with pytest.raises(ValueError, match=r'broken\.py cannot be read'):
        read_plan(broken)


@pytest.mark.parametrize('path', PLANS, ids=lambda path: path.stem)
def test_our_plans_can_decide_what_they_ask(path):
    """As many seeds as the permutation test needs after Holm; the quick one and the ablations say that they have too few."""
    plan = read_plan(path)
    students = {cell['student'] for cell in plan.cells()} - {'alone', 'none'}
    for student in students:
        compared = [cell for cell in plan.cells() if cell['student'] == student and cell['teacher'] != 'ce']
        distinct = {repr(cell) for cell in compared if cell['teacher'] != 'ce-2view'} | {'ce-2view'}
        decidable = len(distinct) * 2.0 ** (1 - len(plan.seeds)) < 0.05
        assert decidable or 'Trial' in plan.title or 'too few for a verdict' in plan.title
