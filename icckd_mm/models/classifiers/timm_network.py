"""A network of timm that reads no file and downloads nothing."""

from __future__ import annotations

import difflib

from mmpretrain.models.classifiers import TimmClassifier

from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import MODELS


@MODELS.register_module()
class TimmNetwork(TimmClassifier):
    """mmpretrain's ``TimmClassifier`` of a registered network, with random weights.

    Since it takes no name of a file or of a repository, a published config may name it.

    Args:
        model_name: A name in ``timm.list_models()``.
        num_classes: Number of classes.
        img_size: Side of the images, for networks that are built for one, as vision transformers; None: their own.
        drop_path_rate: Share of residual branches left out in training; None: the network's own.
        loss: Config of the loss; None: cross-entropy.
        data_preprocessor: Config of the preprocessor; None: mmpretrain's.
        init_cfg: mmengine's initialisation.

    Raises:
        ImportError: If timm is not installed.
        ValueError: If timm has no such network, or a number is out of range.
    """

    def __init__(
        self,
        model_name: str,
        num_classes: int,
        img_size: int | None = None,
        drop_path_rate: float | None = None,
        loss: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        try:
            import timm
        except ImportError as error:
            raise ImportError(f"timm:{model_name} needs timm; install it with: pip install 'icckd-mm[timm]'") from error
        check_count('num_classes', num_classes)
        if not isinstance(model_name, str) or not timm.is_model(model_name):
            near = difflib.get_close_matches(str(model_name), timm.list_models(), n=1)
            raise ValueError(f'timm has no network {model_name!r}' + (f'; did you mean {near[0]}?' if near else ''))
        options: dict[str, float] = {}
        if img_size is not None:
            check_count('img_size', img_size)
            options['img_size'] = img_size
        if drop_path_rate is not None:
            options['drop_path_rate'] = drop_path_rate
        super().__init__(
            model_name,
            num_classes=num_classes,
            pretrained=False,
            loss=loss or dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0),
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
            **options,
        )
        self.num_classes = num_classes
        self._state_dict_hooks.clear()  # they leave out 'model.', which a distillation's checkpoint would keep
        self._load_state_dict_pre_hooks.clear()
