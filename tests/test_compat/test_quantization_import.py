UNPATCHED = """
import torch
try:
    import mmrazor.models
    report('imported')
except ImportError as error:
    report(str(error))
"""
PATCHED = """
import torch
before = torch.__version__
import icckd_mm
import mmrazor.models, mmrazor.engine, mmrazor.datasets, mmrazor.structures, mmrazor.implementations
from mmrazor.utils import register_all_modules
from mmengine.utils import digit_version
register_all_modules()
from mmrazor.structures.quantization.backend_config import common_operator_config_utils, mapping
from mmrazor.registry import MODELS
report({
    'torch untouched': torch.__version__ is before,
    'digit_version restored': {m.digit_version for m in (mmrazor, common_operator_config_utils, mapping)} == {digit_version},
    'registered': MODELS.get('SingleTeacherDistill') is not None and MODELS.get('OFDLoss') is not None,
})
"""


def test_mmrazor_alone_still_cannot_be_imported(python):
    assert 'torch>=1.13' in python(UNPATCHED), 'mmrazor imports by itself now: quantization_import.py can go'


def test_all_of_mmrazor_imports_in_silence_and_nothing_stays_patched(python):
    outcome = python(PATCHED)
    assert all(outcome.values()), outcome
    assert python.stderr == ''
