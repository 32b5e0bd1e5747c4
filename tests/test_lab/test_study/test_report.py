"""Records are made up here, with effects of known size; nothing of them is evidence."""

import re
import time

import numpy as np
import pytest

from icckd_mm.lab.experiment.plan_file import check_plan
from icckd_mm.lab.page import markdown
from icckd_mm.lab.study.cells import cells_of
from icckd_mm.lab.study.comparison import compare_records
from icckd_mm.lab.study.figures import gain_figure, ratio_figure, slices
from icckd_mm.lab.study.grid import grids
from icckd_mm.lab.study.method_figure import method_figure
from icckd_mm.lab.study.readiness import readiness_table
from icckd_mm.lab.study.report import write_report
from icckd_mm.lab.study.tables import cell_tables, comparison_tables, measure_tables

ICC = dict(loss_weight=0.02, margin=0.5, temperature=0.1, queue_size=32, in_batch_negatives=True, second_view='grad')
GAIN = {'ce': 0.0, 'ce-2view': 0.1, 'icc': 0.1}


def record(stage, teacher, seed, *, student='kd', effect=0.0, **factors):
    draw = np.random.default_rng([seed, len(teacher), stage == 'student', round(1000 * factors.get('loss_weight', 0))])
    value = 90 + seed % 5 + GAIN.get(teacher, 0) + effect + draw.normal(0, 0.05)
    own = {**ICC, 'features': 'pooled', **factors} if teacher == 'icc' else {'second_view': 'grad'} if '2' in teacher else {}
    place = dict(data='digits', images=300, epochs=4)
    if stage == 'student':
        place.update(pair='resnet20_resnet8', student=student)
    else:
        place['network'] = 'resnet20'
    curve = [value - 3, value - 2, value + 0.5, value]
    return dict(
        run=f'{stage}_{student}_{teacher}_{seed}_{sorted(own.items())}',
        stage=stage,
        seed=seed,
        factors={**place, 'teacher': teacher, **own},
        code='0+test',
        last_accuracy=value,
        best_accuracy=value + 0.5,
        teacher_accuracy=95.0,
        curve=curve,
        geometry=dict(intra=0.1, inter=0.5, ratio=0.2 + own.get('loss_weight', 0)),
        ece=0.02,
        entropy=0.3,
        time=dict(wall_s=9.0, cpu_s=8.0, resumed=False),
    )


def study(seeds, stages=('teacher', 'student')):
    """The weight 0.3 costs the student 2 points, every other one does nothing."""
    records = []
    for stage in stages:
        for seed in range(seeds):
            records += [record(stage, teacher, seed) for teacher in ('ce', 'ce-2view', 'icc')]
            effect = -2.0 if stage == 'student' else 0.0
            records += [record(stage, 'icc', seed, loss_weight=0.3, effect=effect), record(stage, 'icc', seed, margin=-1.0)]
    return records


def plan(seeds):
    design = dict(type='star', loss_weight=[0.02, 0.3], margin=[-1.0, 0.5])
    default = dict(images=300, epochs=4)
    return check_plan(
        dict(name='made-up', title='Made-up <numbers>', seeds=list(range(seeds)), default=default, designs=[design])
    )


def compared(records):
    return compare_records(plan(3), records)


def tables(records):
    """The tables alone, without figures, which take seconds."""
    found = compared(records)
    return markdown('', [*grids(found), *cell_tables(found)])


def rows(text, title):
    part = text.split(f'## {title}\n')[1].split('\n## ')[0]
    return [line.strip('| ').split(' | ') for line in part.splitlines() if line.startswith('| ') and '---' not in line]


def test_the_table_finds_the_effect_that_was_put_in_and_no_other(tmp_path):
    start = time.perf_counter()
    markdown, _ = write_report(plan(10), study(10), tmp_path)
    assert time.perf_counter() - start < 60
    table = rows(markdown.read_text(), 'Students (kd) against those of the two-view CE teacher (λ = 0)')
    verdicts = {row[0]: row[-1] for row in table[1:]}
    assert verdicts == {
        'icc → kd': 'no difference shown',
        'icc → kd, λ=0.3': 'worse',
        'icc → kd, no margin (δ=-1)': 'no difference shown',
    }
    (worse,) = (row for row in table if row[-1] == 'worse')
    assert float(worse[2]) == pytest.approx(-2.0, abs=0.1)
    assert worse[5] == '0.0020'  # 2 of the 1024 sign patterns
    assert worse[6] == '0.0059'  # Holm, of three


def test_two_seeds_never_say_better_or_worse(tmp_path):
    markdown, page = write_report(plan(2), study(2), tmp_path)
    for table in re.findall(r'## (?:Students|Teachers) .*against.*', markdown.read_text()):
        assert {row[-1] for row in rows(markdown.read_text(), table[3:])[1:]} == {'too few seeds'}
    assert 'A cell is named by what differs from pair=resnet20_resnet8, epochs=4, λ=0.02, δ=0.5' in markdown.read_text()
    assert '<td>better</td>' not in page.read_text()
    assert '<td>worse</td>' not in page.read_text()


def test_the_page_needs_nothing_else_and_escapes_what_it_is_given(tmp_path):
    _, page = write_report(plan(3), study(3), tmp_path)
    text = page.read_text()
    assert set(re.findall(r'src="(.{10})', text)) == {'data:image'}
    assert not re.search(r'href=|url\(|<script|<link', text)
    assert 'Made-up &lt;numbers&gt;' in text
    assert text.count('<img') == 6
    assert text.count('Data: digits, 300 training images.') == 7  # beside every figure


def test_all_figures_are_drawn_with_the_control_at_zero(tmp_path):
    write_report(plan(3), study(3), tmp_path)
    assert {file.name for file in (tmp_path / 'figures').glob('*.png')} == {
        f'{name}.png'
        for name in ('gain_loss_weight', 'gain_margin', 'ratio_loss_weight', 'gain_teacher_accuracy', 'stability', 'cost')
    }
    found = compared(study(3))
    for made in (gain_figure(found, 'loss_weight'), ratio_figure(found)):
        ticks = [tick.get_text() for tick in made.axes[0].get_xticklabels()]
        assert ticks == ['0\n(two views)', '0.02', '0.3']
    line = ratio_figure(found).axes[0].containers[0].lines[0]
    assert list(line.get_ydata()) == pytest.approx([0.2, 0.22, 0.5])


def test_the_same_results_give_the_same_report(tmp_path):
    """In any order of the records."""
    records = study(3)
    first = [file.read_bytes() for file in write_report(plan(3), records, tmp_path / 'a')]
    assert first == [file.read_bytes() for file in write_report(plan(3), records[::-1], tmp_path / 'b')]


@pytest.mark.parametrize('stages', [('teacher',), ('student',)])
def test_a_study_without_students_or_controls_is_reported_as_far_as_it_goes(stages, tmp_path):
    records = [r for r in study(3, stages) if r['factors']['teacher'] == 'icc']
    markdown, _ = write_report(plan(4), records, tmp_path)
    assert not re.findall('## (?:Students|Teachers).*', markdown.read_text())
    assert '3 cells have fewer seeds than the plan asks for' in markdown.read_text()


def test_no_results_and_results_of_two_codes_are_refused(tmp_path):
    with pytest.raises(ValueError, match='run the plan first'):
        write_report(plan(3), [], tmp_path)
    records = study(1)
    with pytest.raises(ValueError, match='results of one cell and seed'):
        write_report(plan(3), [*records, {**records[0], 'run': 'other', 'code': '1'}], tmp_path)


def test_comparisons_stay_within_pair_data_and_student():
    cells = compared([*study(3), *(record('student', 'ce', seed, student='ckd') for seed in range(3))]).cells
    references = [(cell, cell.references['ce']) for cell in cells if 'ce' in cell.references]
    assert len(references) == 8  # both stages: two views and three ICC cells
    for cell, reference in references:
        assert all(reference.factors.get(key) == cell.factors.get(key) for key in ('pair', 'student', 'network'))
    ckd = next(cell for cell in cells if cell.student == 'ckd')
    assert (ckd.references, ckd.gains) == ({}, {})


def test_only_seeds_that_both_have_are_paired():
    records = [record('student', teacher, seed) for teacher, seeds in (('icc', (0, 2, 3)), ('ce', (2, 3, 4))) for seed in seeds]
    ce, icc = compared(records).cells
    found = icc.gains['ce']
    assert found.difference.count == 2
    values = [cell.seeds[seed]['last_accuracy'] for cell in (icc, ce) for seed in (2, 3)]
    assert found.difference.mean == pytest.approx(np.mean(values[:2]) - np.mean(values[2:]))
    assert not compared([record('student', 'icc', 0), record('student', 'ce', 9)]).cells[1].gains


def test_series_differ_in_one_factor_and_say_what_sets_them_apart():
    records = [record('teacher', 'icc', 0, loss_weight=w, temperature=t) for w in (0.3, 0.02) for t in (0.1, 0.5)]
    series = slices(cells_of([*records, record('teacher', 'icc', 0, queue_size=8)]), 'loss_weight')
    assert {name: [cell.factors['loss_weight'] for cell in group] for name, group in series.items()} == {
        'τ=0.1': [0.02, 0.3],
        'τ=0.5': [0.02, 0.3],
    }
    assert [cell.label for cell in compared(records).cells] == [
        'icc',
        'icc, τ=0.5',
        'icc, λ=0.3',
        'icc, λ=0.3, τ=0.5',
    ]


def with_students(seeds):
    """Three student methods; those of the second get 3 points from an ICC teacher, the third is not tried without queue."""
    records = study(seeds)
    for seed in range(seeds):
        for method, effect in (('dkd', 3.0), ('kd-crd', 0.0)):
            records += [record('student', teacher, seed, student=method) for teacher in ('ce', 'ce-2view')]
            records.append(record('student', 'icc', seed, student=method, effect=effect))
        records += [record(stage, 'icc', seed, queue_size=0) for stage in ('teacher', 'student')]
    return records


def test_a_grid_has_each_teacher_by_each_student_and_both_references():
    text = tables(with_students(3))
    accuracy = rows(text, 'Accuracy by teacher and student')
    assert accuracy[0] == ['teacher', 'itself', 'dkd', 'kd', 'kd-crd']
    assert [row[0] for row in accuracy[1:]] == ['ce', 'ce-2view', 'icc, no margin (δ=-1)', 'icc, no queue', 'icc', 'icc, λ=0.3']
    for title, own in (('the CE teacher', 'ce'), ('the two-view CE teacher (λ = 0)', 'ce-2view')):
        table = {row[0]: row[1:] for row in rows(text, f'Difference to {title}')[1:]}
        assert own not in table
        means = [float(cell.split(' ')[0]) for cell in table['icc']]
        assert means == pytest.approx([0, 3, 0, 0], abs=0.25)
        assert re.fullmatch(r'\+\d\.\d\d \[[+-]\d\.\d\d to \+\d\.\d\d\]', table['icc'][1])
        assert (table['icc, no queue'][1], table['icc, no queue'][3]) == ('–', '–')  # not tried
        assert float(table['icc, λ=0.3'][2].split(' ')[0]) == pytest.approx(-2, abs=0.25)


def test_the_figure_of_methods_has_a_line_of_marks_a_teacher():
    axis = method_figure(compared(with_students(2))).axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()][:2] == ['ce-2view', 'icc, no margin (δ=-1)']
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ['dkd', 'kd', 'kd-crd']
    (dkd, kd, _) = (container.lines[0].get_xdata() for container in axis.containers)
    assert (len(dkd), len(kd)) == (2, 5)  # all teachers but that of CE have a kd student
    assert dkd[1] == pytest.approx(3, abs=0.25)
    assert method_figure(compared(study(2))) is None


def test_the_grid_is_paired_by_seed():
    """Seeds differ by a point, differences by less: an unpaired interval would be wider."""
    text = tables(with_students(5))
    cell = {row[0]: row for row in rows(text, 'Difference to the CE teacher')}['icc'][3]
    low, high = map(float, re.findall(r'[+-][\d.]+', cell)[1:])
    assert high - low < 0.3


def alone(seed, accuracy):
    made = record('student', 'ce', seed)
    factors = dict(data='digits', images=300, epochs=4, network='resnet8', student='alone')
    return {**made, 'run': f'alone_{seed}', 'factors': factors, 'last_accuracy': accuracy}


def test_students_are_compared_with_the_student_alone_by_seed():
    """Those of the CE teacher too: whether distilling helps at all is the first question."""
    records = study(8)
    of_ce = {
        one['seed']: one['last_accuracy'] for one in records if (one['stage'], one['factors']['teacher']) == ('student', 'ce')
    }
    records += [alone(seed, of_ce[seed] - 1) for seed in range(7)]
    other = {**alone(0, 10.0), 'run': 'other'}
    records += [{**other, 'factors': {**other['factors'], 'network': 'vgg8'}}]
    text = markdown('', comparison_tables(compared(records)))
    table = {row[0]: row for row in rows(text, 'Students (kd) against the student alone')[1:]}
    assert set(table) == {'ce → kd', 'ce-2view → kd', 'icc → kd', 'icc → kd, λ=0.3', 'icc → kd, no margin (δ=-1)'}
    assert table['ce → kd'][1:4] == ['7', '+1.00', '+1.00 to +1.00']
    assert float(table['icc → kd, λ=0.3'][2]) == pytest.approx(-1, abs=0.2)
    assert 'kd students of all teachers less the student alone' in text
    grid = rows(tables([*with_students(3), *(alone(seed, 80.0) for seed in range(3))]), 'Difference to the student alone')
    assert [row[:2] for row in grid[1:]] == [[row[0], '–'] for row in grid[1:]]  # teachers have no student to compare with
    assert 'ce' in [row[0] for row in grid]


def test_models_at_the_share_of_the_largest_class_are_named():
    """A network that gives every image the same class looks like one of 60 % accuracy."""
    records = [{**one, 'largest_class': 60.0} for one in study(3, ('student',))]
    assert 'largest class' not in tables(records)
    for one in records:
        if one['factors'].get('loss_weight') == 0.3 and one['seed'] > 0:
            one['last_accuracy'] = 60.0
    assert 'largest class, as if every image got that class: icc → kd, λ=0.3 (2 of 3 seeds, 60.00 %).' in tables(records)


def test_one_student_method_needs_no_grid_and_two_pairs_have_a_column_each():
    assert not grids(compared(study(2)))
    records = study(2)
    for extra in study(2, ('student',)):
        records.append({**extra, 'run': 'other ' + extra['run'], 'factors': {**extra['factors'], 'pair': 'resnet20_vgg8'}})
    table = rows(tables(records), 'Accuracy by teacher and student')
    assert table[0] == ['teacher', 'itself', 'kd resnet20_resnet8', 'kd resnet20_vgg8']
    assert all('[' in cell for row in table[1:] for cell in row[1:])


def test_figures_of_some_data_sets_only_have_columns_where_they_are():
    records = study(2)
    for found in records:
        if found['stage'] == 'teacher' and found['factors']['teacher'] == 'icc':
            found['subclass_probe'] = dict(accuracy=50.0 + found['seed'], accuracy_within_class=None)
        if found['stage'] == 'student':
            found['views'] = dict(single_view_accuracy=80.0 + found['seed'], trace_auc=0.75)
    text = tables(records)
    teachers, students = rows(text, 'All teachers'), rows(text, 'All students')
    assert teachers[0][-1] == 'subclass probe: accuracy'
    assert {row[0]: row[-1] for row in teachers[1:]}['icc'] == '50.500'
    assert {row[0]: row[-1] for row in teachers[1:]}['ce'] == '–'
    assert students[0][-2:] == ['views: single view accuracy', 'views: trace auc']
    assert students[1][-2:] == ['80.500', '0.750']


def test_measures_are_paired_with_the_two_view_teacher_and_corrected_by_measure():
    """The ratio rises by 0.1 with the weight 0.1 and by nothing with a margin; views are a measure of students too."""
    records = [record('teacher', teacher, seed) for teacher in ('ce', 'ce-2view') for seed in range(8)]
    records += [record('teacher', 'icc', seed, loss_weight=0.1) for seed in range(8)]
    records += [record('student', teacher, seed) for teacher in ('ce', 'ce-2view', 'icc') for seed in range(8)]
    for one in records:
        if one['stage'] == 'student':
            known = 60 + one['seed'] + 5 * (one['factors']['teacher'] == 'icc')
            one['views'] = dict(views_learned=known, trace_auc=None if one['seed'] == 0 else 0.5)
    text = markdown('', measure_tables(compared(records)))
    (_, teacher) = rows(text, 'Measures of teachers against the two-view CE teacher (λ = 0)')
    assert teacher[0] == 'ratio'
    assert teacher[3] == '+0.100'
    assert teacher[5:] == ['0.0078', '0.0078', 'higher']  # 2 / 2^8, one comparison
    (_, student) = rows(text, 'Measures of students against the two-view CE teacher (λ = 0)')  # what a record lacks is left out
    assert student[0] == 'views: views learned'
    assert student[3] == '+5.000'
    assert student[-1] == 'higher'
    assert not measure_tables(compared([one for one in records if one['factors']['teacher'] != 'ce-2view']))


def test_a_measure_that_decides_the_gain_is_found_and_one_that_is_noise_is_not():
    """Six weights of the loss: the ratio grows with the weight, the student's gain falls with it; ECE is equal everywhere."""
    records = [alone(seed, 90.0 + seed) for seed in range(3)]
    for step in range(6):
        for seed in range(3):
            weight = 0.1 * (step + 1)
            records.append({**record('teacher', 'icc', seed, loss_weight=weight), 'cmi': [3, 1, 5, 6, 2, 4][step]})
            records.append(record('student', 'icc', seed, loss_weight=weight, effect=-step))
    (block,) = readiness_table(compared(records))
    found = {row[0]: row[1] for row in block.table[1:]}
    assert set(found) == {'accuracy', 'ratio', 'CMI'}
    assert found['ratio'].startswith('-1.00 [-1.00 to ')
    assert found['ratio'].endswith(' [6]')
    low, high = map(float, re.search(r'\[(.*) to (.*)\] ', found['CMI']).groups())
    assert low < 0 < high
    assert readiness_table(compared(study(3))) == []  # without the student alone


def test_strong_views_are_compared_with_two_strong_views():
    """A weak second view is the default and not named, as in records of earlier versions."""
    records = [record('student', 'icc', 0), record('student', 'ce-2view', 0)]
    strong = [{**one, 'run': f'{one["run"]}_strong', 'factors': {**one['factors'], 'positive': 'strong'}} for one in records]
    students = compared([*strong, *records]).students
    found = {cell.label: cell.references['ce-2view'].label for cell in students if cell.teacher == 'icc'}
    assert found == {'icc → kd': 'ce-2view → kd', 'icc → kd, positive=strong': 'ce-2view → kd, positive=strong'}
