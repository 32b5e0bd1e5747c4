"""Finds the subclasses of a teacher before its student is trained."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from icckd_mm.distill.losses.logits.subclass import SubclassKLLoss
from icckd_mm.engine.runner_utils import unwrapped
from icckd_mm.randomness import preserved_randomness
from icckd_mm.registry import HOOKS


@HOOKS.register_module()
class SubclassHook(Hook):
    """Fits each :class:`icckd_mm.SubclassKLLoss` of a distiller to the teacher's features of all training images.

    One pass of the teacher over the training images, augmented as for training, before the first step. A resumed run takes the
    subclasses from its checkpoint. The generators of random numbers are as before the pass.

    Raises:
        ValueError: Before training, if there is no such loss.
    """

    def before_train(self, runner: Runner) -> None:
        """Collect features and labels, and fit the losses."""
        model = unwrapped(runner)
        losses = getattr(getattr(model, 'distiller', None), 'distill_losses', {})
        found = {name: loss for name, loss in losses.items() if isinstance(loss, SubclassKLLoss)}
        if not found or not hasattr(model, 'run_teacher'):
            raise ValueError(
                f'SubclassHook needs icckd_mm.SafeTeacherDistill with an icckd_mm.SubclassKLLoss, got {type(model).__name__} '
                f'with {", ".join(losses) or "no losses"}'
            )
        for name, loss in found.items():
            if not loss.ready:
                source = model.distiller.loss_forward_mappings[name]['features_T']
                runner.logger.info(f'{name}: {loss.subclasses} subclasses per class, from one pass over the training images')
                features, labels = _look(runner, model, source)
                loss.fit(features, labels)
                few = (labels.bincount(minlength=loss.num_classes) <= loss.subclasses).nonzero().flatten().tolist()
                if few:
                    runner.logger.warning(
                        f'{name}: {len(few)} classes have too few images for {loss.subclasses} subclasses and are not divided, '
                        f'class {few[0]} for example'
                    )


@torch.no_grad()
def _look(runner: Runner, model: Any, source: dict) -> tuple[Tensor, Tensor]:
    """Features and labels of all training images, those of all processes."""
    features, labels = [], []
    with preserved_randomness():
        for batch in runner.train_dataloader:
            batch = model.data_preprocessor(batch, False)
            model.run_teacher(batch['inputs'], batch['data_samples'])
            features.append(model.distiller.get_record(**source).float().cpu())
            labels.append(torch.cat([sample.gt_label for sample in batch['data_samples']]).cpu())
    rows: list[Any] = all_gather_object((torch.cat(features), torch.cat(labels)))
    return torch.cat([row for row, _ in rows]), torch.cat([row for _, row in rows])
