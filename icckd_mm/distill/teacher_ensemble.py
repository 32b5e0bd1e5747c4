"""Combines several teachers into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.registry import MODELS as ROOT_MODELS
from torch import Tensor, nn

from icckd_mm.engine.loading.network_fit import IGNORED
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.registry import MODELS

from .records import read_record
from .weights import load_strictly
from .wiring import class_count

WAYS = ('mean', 'weights', 'best')


class JoinedLogits(nn.Module):
    """Combines the logits of several teachers; a separate module, so that a recorder can name it.

    Args:
        how: See :class:`TeacherEnsemble`.
        weights: ``(T,)``, sum 1.
    """

    def __init__(self, how: str, weights: Tensor) -> None:
        super().__init__()
        self.how = how
        self.register_buffer('weights', weights, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor | None = None) -> Tensor:
        """Combine the logits.

        Args:
            logits: ``(T, B, C)``.
            labels: True classes ``(B,)``; only ``'best'`` uses them. Defaults to None.

        Returns:
            ``(B, C)``.
        """
        if self.how != 'best':
            return torch.einsum('t,tbc->bc', self.weights.to(logits.dtype), logits)
        scores = logits.log_softmax(dim=2)
        score = scores.amax(dim=2) if labels is None else scores[:, torch.arange(len(labels)), labels]
        return logits[score.argmax(dim=0), torch.arange(logits.size(1))]


@MODELS.register_module()
class TeacherEnsemble(BaseModel):
    """Several classifiers as one teacher of :class:`icckd_mm.SafeTeacherDistill`; record its logits at ``source='logits'``.

    Args:
        teachers: Configs of classifiers with equal classes.
        teacher_ckpts: Their weights, in the same order, loaded strictly. None leaves a teacher random,
            which the algorithm refuses unless that is intended.
        how: ``'mean'`` of the logits, ``'weights'`` for a weighted mean, or ``'best'``: for each image the teacher that
            gives the true class the highest probability; without labels (in prediction), the most confident
            one. Defaults to 'mean'.
        weights: For ``'weights'``, one per teacher; divided by their sum. Defaults to None.
        ignore_keys: Prefixes of keys of the checkpoints to ignore, in addition to ``icc_loss.`` and
            ``data_preprocessor.``. Defaults to ().

    Raises:
        ValueError: If numbers, weights, classes or checkpoints do not fit.
    """

    def __init__(
        self,
        teachers: Sequence[dict],
        teacher_ckpts: Sequence[str | None],
        how: str = 'mean',
        weights: Sequence[float] | None = None,
        ignore_keys: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if not teachers or len(teachers) != len(teacher_ckpts):
            raise ValueError(f'each teacher needs a checkpoint, got {len(teachers)} teachers and {len(teacher_ckpts)} files')
        if how not in WAYS:
            raise ValueError(f'how must be one of {", ".join(WAYS)}, got {how!r}')
        if (weights is not None) != (how == 'weights'):
            raise ValueError(f"weights need how='weights', got how={how!r} and weights={weights!r}")
        weights = [1.0] * len(teachers) if weights is None else list(weights)
        for index, weight in enumerate(weights):
            check_weight(f'weights[{index}]', weight)
        if len(weights) != len(teachers) or sum(weights) == 0:
            raise ValueError(f'weights must be one number per teacher ({len(teachers)}), at least one above 0, got {weights}')
        self.teachers = nn.ModuleList(ROOT_MODELS.build(teacher) for teacher in teachers)
        counts = [class_count(teacher) for teacher in self.teachers]
        if len(set(counts)) > 1:
            raise ValueError(f'the teachers have {counts} classes; all need the same')
        self.num_classes = counts[0]
        ignored = (*IGNORED, *ignore_keys)
        self.records = []
        for index, (teacher, path) in enumerate(zip(self.teachers, teacher_ckpts)):
            if path is not None:
                place = f'model.teacher.teachers.{index}'
                read = load_strictly(teacher, path, ignored, config=teachers[index], place=place)
                self.records.append(read_record(read))
                vars(teacher)['_is_init'] = True  # init_weights would draw the weights again
        self.logits = JoinedLogits(how, torch.tensor(weights) / sum(weights))
        self._is_init = all(teacher.is_init for teacher in self.teachers)

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Forward pass with the interface of mmpretrain's classifiers.

        Args:
            inputs: Images ``(B, 3, H, W)``.
            data_samples: With ``gt_label`` in mode ``'loss'``. Defaults to None.
            mode: ``'tensor'``, ``'loss'`` or ``'predict'``. Defaults to 'tensor'.

        Returns:
            Logits, their cross-entropy, or data samples with scores and labels.
        """
        every = torch.stack([teacher(inputs, mode='tensor') for teacher in self.teachers])
        if mode == 'loss':
            if self.logits.how == 'best' and any('gt_score' in sample for sample in data_samples or []):
                raise ValueError(
                    "how='best' of TeacherEnsemble needs one class for each image; soft or mixed labels name no class: remove "
                    "train_cfg.augments and to_onehot, or set how='mean'"
                )
            labels = torch.cat([sample.gt_label for sample in data_samples or []]).to(every.device)
            return {'loss': F.cross_entropy(self.logits(every, labels), labels)}
        logits = self.logits(every)
        if mode == 'tensor':
            return logits
        for sample, scores in zip(data_samples or [], logits.softmax(dim=1)):
            sample.set_pred_score(scores).set_pred_label(scores.argmax())
        return data_samples
