import copy
import json
import shlex
from pathlib import Path

import pytest
from mmengine.config import Config

from icckd_mm.lab.experiment import graph as graphs
from icckd_mm.lab.experiment.graph import build_graph, levels, needed
from icckd_mm.lab.experiment.plan_file import check_plan, read_plan
from icckd_mm.lab.experiment.train_run import Task, command

ROOT = Path(__file__).parents[3]
TEACHERS = ['ce', 'ce-2view', 'icc', 'icc-ft', 'supcon', 'supcon-icc', 'mcmi', 'ls', 'ce-stop']
STUDENTS = ['kd', 'kd-rkd', 'ckd', 'kd-crd', 'dkd', 'dist']


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def build(**changes):
    design = dict(type='star', loss_weight=[0.02, 0.1])
    return build_graph(check_plan({'name': 'small', 'seeds': [0], 'designs': [design], 'controls': ['ce'], **changes}))


def methods(graph):
    return sorted((run.recipe.stage, run.recipe.method, run.seed) for run in graph.values())


def test_a_teacher_is_trained_once_for_all_its_students():
    graph = build(designs=[dict(type='product', student=['kd', 'ckd', 'dkd'])], seeds=[0, 1])
    teachers = [run for run in graph.values() if run.recipe.stage == 'teacher']
    assert sorted((run.recipe.method, run.seed) for run in teachers) == [(m, s) for m in ('ce', 'icc') for s in (0, 1)]
    for teacher in teachers:
        assert len([run for run in graph.values() if run.parent == teacher.name]) == 3
    for run in graph.values():
        assert run.parent is None or graph[run.parent].seed == run.seed


def test_options_of_a_network_without_a_head_are_its_own(tmp_path):
    """One of timm has loss and classes beside its name."""
    net = "dict(_delete_=True, type='icckd_mm.TimmNetwork', model_name='resnet18', num_classes=10)"
    for name, base in (('teacher', 'baseline/ce_resnet20'), ('student', 'distill/kd_logits_resnet20_resnet8')):
        path = f'{ROOT}/configs/icckd/{base}_1xb64_digits.py'
        model = net if name == 'teacher' else f'dict(teacher={net})'
        (tmp_path / f'{name}.py').write_text(f"_base_ = '{path}'\nmodel = {model}\n")
    pair = f'{tmp_path}/teacher.py,{tmp_path}/student.py'
    three = dict(
        configs='digits', num_classes=3, train=dict(type='icckd_mm.Digits'), test=dict(type='icckd_mm.Digits', split='test')
    )
    cell = dict(data='three', pair=pair, teacher='ls')
    graph = build(default=cell, designs=[dict(type='product', student=['kd'])], controls=[], datasets=dict(three=three))
    teacher, student = (run.recipe.options for run in graph.values())
    assert teacher['model.loss.mode'] == 'original'
    assert teacher['model.num_classes'] == 3
    assert {key for key in student if key.endswith('num_classes')} == {
        'model.architecture.head.num_classes',
        'model.teacher.num_classes',
    }


def test_parents_come_before_children_in_list_and_levels():
    graph = build(designs=[dict(type='product', teacher=['icc-ft', 'mcmi'])])
    assert [sorted({run.recipe.method for run in level}) for level in levels(list(graph.values()))] == [
        ['ce'],
        ['icc-ft', 'kd', 'mcmi'],
        ['kd'],
    ]


@pytest.mark.parametrize('change', ['seed', 'option', 'code', 'network'])
def test_the_name_of_a_run_changes_with_all_that_decides_it(change, monkeypatch):
    before = set(build())
    if change == 'code':
        monkeypatch.setattr(graphs, 'code_version', lambda: 'other')
    changes = {
        'seed': dict(seeds=[1]),
        'option': dict(options=dict(teacher={'optim_wrapper.optimizer.lr': 0.04})),  # students change with their teacher
        'code': {},
        'network': dict(networks=dict(teacher={'backbone.depth': 14})),
    }[change]
    assert not before & set(build(**changes))


def test_the_name_of_a_run_does_not_change_with_what_does_not_decide_it():
    """Another name, title and estimate; more seeds; a factor that no teacher here uses; a student's option for a teacher."""
    before = build()
    after = build(name='other', title='x', seconds=3, seeds=[0, 1], default=dict(kl_weight=0.7, stop_epoch=3))
    assert set(before) < set(after)
    after = build(options=dict(kd={'optim_wrapper.optimizer.lr': 0.04}))
    assert {n for n in before if n.startswith('teacher')} == {n for n in after if n.startswith('teacher')}
    assert not {n for n in before if n.startswith('student')} & {n for n in after if n.startswith('student')}


def test_the_same_config_by_another_option_is_the_same_run():
    """The hash is of what the config says after its options."""
    assert set(build()) == set(build(options=dict(all={'optim_wrapper.optimizer.lr': 0.05})))


def test_a_loss_that_starts_later_names_its_epoch():
    """Runs whose loss starts at once keep the names and factors that they had before there was a choice."""
    first, late = (list(build(default=dict(begin=begin)).values()) for begin in (0, 3))
    assert not any('begin' in run.recipe.factors for run in first)
    begun = [run for run in late if 'begin' in run.recipe.factors]
    assert {run.recipe.method for run in begun} == {'icc', 'kd'}
    assert {run.recipe.options['custom_hooks.0.begin'] for run in begun if run.recipe.stage == 'teacher'} == {3}


def test_every_method_becomes_a_config_of_this_repository():
    """Also those whose run would start from a teacher of cross-entropy; apply_options has checked every key."""
    design = dict(type='product', teacher=TEACHERS, student=STUDENTS)
    graph = build(designs=[design], default=dict(images=200, epochs=4, stop_epoch=2, finetune_epochs=3), controls=['alone'])
    assert len(graph) == len(TEACHERS) * (1 + len(STUDENTS)) + 1
    found = {run.recipe.method: run for run in graph.values() if run.recipe.stage == 'teacher'}
    assert (found['ce'].epochs, found['ce-stop'].epochs, found['icc-ft'].epochs) == (4, 2, 3)
    assert found['ce-stop'].recipe.options['param_scheduler.T_max'] == 4  # the schedule of the whole run, left early
    assert found['icc-ft'].parent == found['mcmi'].parent == found['ce'].name
    crd = next(run for run in graph.values() if run.recipe.method == 'kd-crd')
    assert crd.recipe.options['model.distiller.distill_losses.loss_crd.sample_n'] == 200


def test_the_command_of_a_run_gives_the_config_that_its_name_stands_for():
    """What command.txt says is what was hashed: merged by mmengine's own reader of options."""
    from icckd_mm.config.command_line import OptionsAction

    graph = build(networks=dict(teacher={'backbone.depth': 8, 'backbone.widths': (4, 4, 8, 8), 'head.in_channels': 8}))
    run = next(run for run in graph.values() if run.recipe.method == 'icc')
    words = shlex.split(command(Task(run, 'folder', None, False, '')))
    options = words[words.index('--cfg-options') + 1 :]
    parsed = dict(option.split('=', 1) for option in options)
    cfg = Config.fromfile(run.recipe.config)
    cfg.merge_from_dict({key: OptionsAction._parse_iterable(value) for key, value in parsed.items()})
    expected = copy.deepcopy(Config.fromfile(run.recipe.config))
    expected.merge_from_dict(run.recipe.options)
    assert json.dumps(cfg.to_dict(), sort_keys=True) == json.dumps(expected.to_dict(), sort_keys=True)
    assert words[words.index('--seed') + 1] == '0'


def test_only_what_is_missing_is_done_and_teachers_again_whose_weights_are_gone():
    graph = build()
    students = [run for run in graph.values() if run.recipe.stage == 'student']
    finished = set(graph) - {students[0].name}
    assert needed(graph, set(graph), set()) == []
    assert [run.name for run in needed(graph, finished, set(graph))] == [students[0].name]
    assert [run.name for run in needed(graph, finished, set())] == [students[0].parent, students[0].name]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(default=dict(teacher='iccc')), 'teacher must be one of'),
        (dict(default=dict(student='kdd')), "no config .*kdd_.* for the student 'kdd'"),
        (dict(default=dict(pair='resnet20')), "pair must be 'TEACHER_STUDENT'"),
        (dict(default=dict(data='mnist')), 'there is no config'),
        (dict(default=dict(features='neck')), "features must be 'pooled' or 'logits'"),
        (dict(default=dict(margin=1.5)), r'margin must lie in \[-1, 1\], got 1.5'),
        (dict(options=dict(kdd={'train_cfg.val_interval': 2})), "options for 'kdd' match no run"),
        (dict(default=dict(queue_size=-1)), 'queue_size.* at least 0, got -1'),
        (dict(default=dict(queue_size=0, in_batch_negatives=False)), 'leave no negatives'),
        (dict(default=dict(images=0)), 'images must be an integer of at least 1, got 0'),
        (dict(default=dict(epochs=2.5)), 'epochs must be an integer'),
        (dict(designs=[dict(type='star', margin=[1.5])], options=dict(all={'train_cfg': 3})), 'train_cfg'),
        (dict(default=dict(begin=-1)), 'begin must be an epoch of the training, from 0, got -1'),
        (dict(default=dict(begin=15, epochs=15)), 'begin must be an epoch of the training, from 0, got 15'),
        (dict(default=dict(begin=500)), r'begin must be an epoch of the training, from 0, got 500; .* trains for \d+'),
        (dict(default=dict(positive='storng')), "positive must be one of weak, strong, got 'storng'"),
        (dict(default=dict(positive='strong', second_view='bank')), "second_view='bank' has none"),
        (dict(default=dict(student='subclass-0')), "no config .*subclass-0_.* for the student 'subclass-0'"),
        (dict(default=dict(student='subclass-1')), "no config .*subclass-1_.* for the student 'subclass-1'"),
        (dict(default=dict(teacher='ce-stop')), 'needs stop_epoch'),
        (dict(options=dict(all={'train_cfg.max_epoch': 2})), 'max_epoch'),
    ],
)
def test_cells_that_cannot_be_run_are_named_before_any_work(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_every_option_of_a_method_can_be_typed():
    """command.txt would show a dict that no shell passes on."""
    design = dict(type='product', teacher=TEACHERS, student=STUDENTS)
    graph = build(designs=[design], default=dict(images=200, epochs=4, stop_epoch=2))
    for run in graph.values():
        assert not any(isinstance(value, dict) for value in run.recipe.options.values()), run.recipe


def test_crd_compares_features_of_the_width_that_the_plan_gives():
    networks = dict(teacher={'head.in_channels': 32}, student={'head.in_channels': 8})
    crd = next(run for run in build(default=dict(student='kd-crd'), networks=networks).values() if run.parent)
    widths = {key.split('.')[-2]: value for key, value in crd.recipe.options.items() if key.endswith('dim_in')}
    assert widths == {'crd_student': 8, 'crd_teacher': 32}


def test_supcon_leaves_out_the_weight_that_the_loss_beside_it_has():
    """Both with the type of the loss; SupCon alone does not depend on the factors of the intra-class loss."""
    graph = build(designs=[dict(type='product', teacher=['supcon', 'supcon-icc'], loss_weight=[0.1, 0.3])], controls=[])
    losses = [
        (
            run.recipe.method,
            run.recipe.options['custom_hooks.0.loss.type'],
            run.recipe.options['custom_hooks.0.loss.loss_weight'],
        )
        for run in graph.values()
        if run.recipe.stage == 'teacher'
    ]
    kind = 'icckd_mm.SupervisedContrastiveLoss'
    assert sorted(losses) == [('supcon', kind, 0.0), ('supcon-icc', kind, 0.1), ('supcon-icc', kind, 0.3)]


def test_the_number_after_subclass_is_that_of_its_head_and_loss():
    students = [f'{name}{number}' for name in ('subclass', 'lelp') for number in ('', '-2', '-10')]
    networks = dict(teacher={'head.in_channels': 32})
    default = dict(data='cifar10', pair='resnet56_resnet20')
    graph = build(designs=[dict(type='product', student=students)], controls=[], networks=networks, default=default)
    found = {}
    for run in graph.values():
        if run.parent:
            cfg = Config.fromfile(run.recipe.config)
            cfg.merge_from_dict(run.recipe.options)
            loss = cfg.model.distiller.distill_losses.loss_subclass
            assert loss.feat_dims == 32
            found[run.recipe.method] = (loss.get('how', 'kmeans'), loss.subclasses, cfg.model.architecture.head.subclasses)
    expected = {f'subclass{end}': ('kmeans', number, number) for end, number in (('', 5), ('-2', 2), ('-10', 10))}
    assert found == {**expected, **{name.replace('subclass', 'lelp'): ('pca', *rest[1:]) for name, rest in expected.items()}}


def test_the_ablations_leave_out_one_part_at_a_time():
    """5 ablated teachers with one student each; 6 ways to a teacher by 5 students; the student alone; 5 seeds."""
    graph = build_graph(read_plan('docs/study/plans/digits_ablations.py'))
    assert len(graph) == 5 * (5 * 2 + 6 * (1 + 5) + 1)
    icc = [run.recipe.factors for run in graph.values() if run.seed == 0 and run.recipe.method == 'icc']
    default = dict(margin=0.5, queue_size=32, in_batch_negatives=True, features='pooled')
    changed = [{name: one[name] for name, value in default.items() if one[name] != value} for one in icc]
    assert sorted(changed, key=str) == sorted(
        [{}, {'margin': -1.0}, {'queue_size': 0}, {'in_batch_negatives': False}, {'features': 'logits'}], key=str
    )


def test_the_digits_study_shares_its_controls():
    """20 cells of ICC teachers (6 + 5 + 2 + 3 of the star, 4 more of the corner), two controls, 10 seeds; the student alone."""
    graph = build_graph(read_plan('docs/study/plans/digits.py'))
    assert len(graph) == 10 * (2 * (20 + 2) + 1)
