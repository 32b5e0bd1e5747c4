"""Hooks of mmengine's runner, one purpose each."""

from .data_check_hook import DataCheckHook
from .exact_checkpoint_hook import ExactCheckpointHook
from .finite_guard_hook import FiniteGuardHook
from .predicted_features_hook import PredictedFeaturesHook

__all__ = ['DataCheckHook', 'ExactCheckpointHook', 'FiniteGuardHook', 'PredictedFeaturesHook']
