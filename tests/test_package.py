import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from mmengine.registry import DATASETS

from icckd_mm import registry as registries

ROOT = Path(__file__).resolve().parent.parent
SURFACE = {
    'icckd_mm.functional': [
        'batch_correlation',
        'adaptive_target_loss',
        'attention_transfer_loss',
        'category_center_contrastive_loss',
        'center_alignment_loss',
        'center_distances',
        'class_correlation',
        'class_distances',
        'class_geometry',
        'class_mean_predictions',
        'confidence_margin',
        'consistency_weights',
        'curriculum_divergence',
        'decoupled_divergence',
        'correlation_congruence_loss',
        'factor_transfer_loss',
        'feature_alignment_loss',
        'hard_label_cross_entropy',
        'gaussian_distance_loss',
        'hierarchical_context_loss',
        'intra_class_contrastive_loss',
        'linear_cka',
        'mcmi_loss',
        'multi_level_loss',
        'multi_scale_contrastive_loss',
        'normalized_cross_entropy',
        'preview_weights',
        'region_logits',
        'probabilistic_transfer_loss',
        'projected_map_loss',
        'region_weights',
        'sample_wise_contrastive_loss',
        'self_normalized_loss',
        'soft_label_divergence',
        'standardized_logits',
        'transformed_teacher_divergence',
        'transport_costs',
        'wasserstein_divergence',
        'neuron_selectivity_loss',
        'similarity_preserving_loss',
        'variational_information_loss',
    ],
    'icckd_mm.models': [
        'CIFARMobileNetV2',
        'CIFARResNet',
        'CIFARShuffleNetV1',
        'CIFARShuffleNetV2',
        'CIFARVGG',
        'CIFARWideResNet',
        'CategoryCenterContrastiveLoss',
        'CenterAlignmentLoss',
        'ClassQueue',
        'FeatureAlignmentLoss',
        'FirstViewCrossEntropyLoss',
        'IntraClassContrastiveLoss',
        'MCMILoss',
        'MLPConnector',
        'MobileNetV1',
        'MultiScaleContrastiveLoss',
        'PreviewKLDivergence',
        'RotationDataPreprocessor',
        'SampleWiseContrastiveLoss',
        'SubclassClsHead',
        'SimKDNeck',
        'TimmNetwork',
        'TokensToMap',
        'TwoViewDataPreprocessor',
    ],
    'icckd_mm.datasets': [
        'ClassMap',
        'CoarseLabels',
        'DeviceLoader',
        'Digits',
        'EvenPlaces',
        'ImageArrays',
        'MultiViewPatterns',
        'RandomImages',
        'TinyImageNet',
    ],
    'icckd_mm.teacher': ['IntraClassContrastHook'],
    'icckd_mm.evaluation': ['ClassGeometry', 'PredictedFeaturesHook'],
}


@pytest.mark.parametrize('module', SURFACE)
def test_the_public_names_are_pinned(module):
    names = __import__(module, fromlist=['__all__']).__all__
    assert sorted(names, key=str.lower) == sorted(SURFACE[module], key=str.lower)


REGISTERED = {
    'HOOKS': [
        'DataCheckHook',
        'DistillWeightHook',
        'ExactCheckpointHook',
        'FiniteGuardHook',
        'IntraClassContrastHook',
        'PredictedFeaturesHook',
        'StopDistillHook',
        'SubclassHook',
        'TeacherAccuracyHook',
        'TeacherCacheHook',
    ],
    'LOOPS': ['DistillValLoop', 'ExactTrainLoop'],
    'DATASETS': [
        'ClassMap',
        'CoarseLabels',
        'Digits',
        'EvenPlaces',
        'ImageArrays',
        'MultiViewPatterns',
        'RandomImages',
        'TinyImageNet',
        'even_subset',
        'held_out_part',
        'without_classes',
    ],
    'METRICS': ['ClassGeometry'],
    'OPTIMIZERS': ['DOTSGD'],
    'OPTIM_WRAPPERS': ['Bfloat16OptimWrapper', 'DOTAmpOptimWrapper', 'DOTOptimWrapper'],
    'LOADERS': ['DeviceLoader'],
}


@pytest.mark.parametrize('name', REGISTERED)
def test_the_registered_types_are_pinned(name):
    """``type='icckd_mm.X'`` in the configs of users; where a class lives may change."""
    registry = getattr(registries, name)
    registry.import_from_location()
    assert sorted(registry.module_dict, key=str.lower) == sorted(REGISTERED[name], key=str.lower)


@pytest.mark.parametrize('name', ['even_subset.even_subset', 'held_out.held_out_part'])
def test_functions_that_plans_name_by_their_path_are_found(name):
    """As plans and tunings of version 0.1.0 wrote them."""
    assert DATASETS.get(f'icckd_mm.datasets.{name}') is DATASETS.get(f'icckd_mm.{name.split(".")[1]}')


def run(code):
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_importing_the_package_imports_neither_mmrazor_nor_mmpretrain():
    out = run("import icckd_mm, sys; print([m for m in sys.modules if m.split('.')[0] in ('mmrazor', 'mmpretrain', 'mmcv')])")
    assert out.strip() == '[]'


def test_a_prefixed_type_resolves_from_any_scope_without_custom_imports():
    """No import of icckd_mm in the process: mmengine finds the registry by the prefix."""
    code = """
from mmengine.registry import DATASETS, HOOKS, MODELS, DefaultScope
for scope in ('mmengine', 'mmpretrain', 'mmrazor'):
    with DefaultScope.overwrite_default_scope(scope):
        loss = MODELS.build(dict(type='icckd_mm.IntraClassContrastiveLoss', num_classes=2, feat_dims=3, _scope_=scope))
        hook = HOOKS.build(dict(type='icckd_mm.IntraClassContrastHook', loss=dict(), _scope_=scope))
        data = DATASETS.build(dict(type='icckd_mm.Digits', _scope_=scope))
        print(scope, type(loss).__name__, type(hook).__name__, len(data))
"""
    lines = [line for line in run(code).splitlines() if line.endswith('1437')]
    expected = 'IntraClassContrastiveLoss IntraClassContrastHook 1437'
    assert lines == [f'{scope} {expected}' for scope in ('mmengine', 'mmpretrain', 'mmrazor')]


def test_teacher_training_does_not_need_mmrazor():
    """The hook, its loss and the commands work where mmrazor cannot be imported."""
    code = """
import sys
sys.modules['mmrazor'] = None
import icckd_mm.engine.exact.checkpoint_hook, icckd_mm.engine.finite.guard_hook, icckd_mm.teacher
import icckd_mm.models, icckd_mm.datasets, icckd_mm.config.command_line, icckd_mm.lab.analysis.feature_space
print('fine')
"""
    assert run(code).strip().endswith('fine')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Built from a copy of the files in git, like a release."""
    folder = tmp_path_factory.mktemp('wheel')
    files = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split('\0')
    for name in filter(None, files):
        target = folder / 'source' / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            target.write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, '-m', 'build', '--wheel', '--no-isolation', '--outdir', str(folder), str(folder / 'source')]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob('*.whl')
    return zipfile.ZipFile(path)


def test_the_wheel_carries_configs_tools_and_model_index(wheel):
    names = set(wheel.namelist())
    assert 'icckd_mm/.mim/model-index.yml' in names
    assert 'icckd_mm/.mim/tools/train.py' in names
    assert 'icckd_mm/py.typed' in names
    for config in (ROOT / 'configs').rglob('*.py'):
        if '__pycache__' not in config.parts:
            assert f'icckd_mm/.mim/{config.relative_to(ROOT)}' in names or not is_tracked(config)
    assert not [name for name in names if name.startswith('tests/') or '__pycache__' in name]


def is_tracked(path):
    return not subprocess.run(['git', 'ls-files', '--error-unmatch', str(path)], cwd=ROOT, capture_output=True).returncode


def test_the_metadata_never_pull_in_mmcv_lite_beside_a_full_mmcv(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith('METADATA')]
    lines = wheel.read(name).decode().splitlines()
    required = [line for line in lines if line.startswith('Requires-Dist') and 'extra ==' not in line]
    assert not [line for line in required if 'mmcv' in line]
    assert 'Name: icckd-mm' in lines
    extras = {line.split(': ')[1] for line in lines if line.startswith('Provides-Extra')}
    assert extras == {'dev', 'docs', 'viz', 'export', 'lite', 'timm', 'tune'}
