"""Features reach the metric, of classifier, student and teacher, and the training does not notice."""

import pytest
import torch

from icckd_mm.evaluation.predicted_features_hook import PredictedFeaturesHook
from icckd_mm.functional import class_geometry
from tests.helpers import ICC, build, equal, state, train
from tests.test_distill.cases import algorithm, weights

METRICS = [
    dict(type='Accuracy'),
    dict(
        type='icckd_mm.ClassGeometry', temperature=0.1
    ),  # the networks are hardly trained: sharp, or all soft labels are alike
    dict(type='icckd_mm.ClassGeometry', source='features'),
]


def direct(model, preprocess, loader):
    """Features by hand, from the parts of the network."""
    features, logits, labels = [], [], []
    with torch.no_grad():
        for batch in loader:
            data = preprocess(batch, False)
            features.append(model.neck(model.backbone(data['inputs']))[-1])
            logits.append(model.head.fc(features[-1]))
            labels += [sample.gt_label for sample in data['data_samples']]
    features, logits, labels = torch.cat(features).double(), torch.cat(logits).double(), torch.cat(labels)
    geometry = {'soft_labels': class_geometry((logits / 0.1).softmax(1), labels), 'features': class_geometry(features, labels)}
    return {f'{name}/{key}': value for name, values in geometry.items() for key, value in values.items()}


def test_a_teacher_run_logs_the_geometry_of_its_features(tmp_path):
    """With the contrast hook, whose own forward hooks are on the same layers; two views in training, one in validation."""
    options = dict(validate=True, images=32)
    runner, _ = train(tmp_path / 'with', hooks=[ICC, PredictedFeaturesHook()], **{**options, **evaluated()})
    model = runner.model.eval()
    expected = direct(model, model.data_preprocessor, runner.val_dataloader)
    logged = {key: runner.message_hub.get_scalar(f'val/{key}').current() for key in expected}
    assert logged == pytest.approx(expected, rel=1e-3)
    plain, _ = train(tmp_path / 'without', hooks=[ICC], **options)
    assert equal(state(plain.model), state(runner.model))


def test_student_and_teacher_have_their_own(tmp_path):
    teacher = weights(tmp_path / 'teacher.pth')
    runner = build(
        tmp_path,
        algorithm(teacher),
        hooks=[dict(type='EMAHook', momentum=0.5), PredictedFeaturesHook()],
        views=1,
        images=32,
        val_cfg=dict(type='icckd_mm.DistillValLoop'),
        **{'validate': True, **evaluated()},
    )
    runner.train()
    preprocess = runner.model.data_preprocessor
    expected = direct(runner.model.teacher.eval(), preprocess, runner.val_dataloader)
    logged = {key: runner.message_hub.get_scalar(f'val/teacher.{key}').current() for key in expected}
    assert logged == pytest.approx(expected, rel=1e-3)
    averaged = next(hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook').ema_model.module.architecture.eval()
    expected = direct(averaged, preprocess, runner.val_dataloader)
    logged = {key: runner.message_hub.get_scalar(f'val/{key}').current() for key in expected}
    assert logged == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize('argument', ['features', 'logits'])
def test_an_unknown_layer_is_named(tmp_path, argument):
    with pytest.raises(ValueError, match=rf"{argument}='head.fcc' is not a module of ImageClassifier; nearest: head.fc"):
        train(tmp_path, hooks=[PredictedFeaturesHook(**{argument: 'head.fcc'})], views=1)


def evaluated():
    return dict(val_evaluator=METRICS, test_evaluator=METRICS)
