"""Reliability test 17 for the functions: wrong tensors and numbers are refused by name; the message says what to do."""

import pytest
import torch

from icckd_mm.functional import class_geometry, confidence_margin, intra_class_contrastive_loss
from icckd_mm.models import ClassQueue, IntraClassContrastiveLoss

B, C, K, D = 4, 3, 2, 5
FEATURES, LOGITS = torch.ones(B, D), torch.zeros(B, C)
LABELS = torch.tensor([0, 1, 2, 0])
ELSEWHERE = 'meta'  # another device that every machine has


def loss(**options):
    return IntraClassContrastiveLoss(**{**dict(num_classes=C, queue_size=K, feat_dims=D), **options})


def forward(features=FEATURES, positives=FEATURES, logits=LOGITS, labels=LABELS):
    return loss()(features, positives, logits, labels)


def enqueue(features=FEATURES, labels=LABELS):
    return ClassQueue(C, K, D).enqueue(features, labels)


def contrast(**options):
    queue = torch.zeros(C, K, D)
    given = dict(anchors=FEATURES, positives=FEATURES, labels=LABELS, queue=queue, filled=torch.zeros(C, dtype=torch.long))
    return intra_class_contrastive_loss(**{**given, **options})


CASES = {
    'temperature 0': (lambda: loss(temperature=0.0), ValueError, 'temperature must be a finite number above 0, got 0'),
    'temperature nan': (lambda: loss(temperature=float('nan')), ValueError, 'finite number above 0, got nan'),
    'temperature as text': (lambda: loss(temperature='0.1'), ValueError, "got '0.1'"),
    'margin above 1': (lambda: loss(margin=1.5), ValueError, r'margin must lie in \[-1, 1\], got 1.5'),
    'margin nan': (lambda: loss(margin=float('nan')), ValueError, 'margin must .* got nan'),
    'less than no slots': (lambda: loss(queue_size=-1), ValueError, 'queue_size.* at least 0, got -1'),
    'half a slot': (lambda: loss(queue_size=0.5), ValueError, 'queue_size.* integer .* got 0.5'),
    'no classes': (lambda: loss(num_classes=0), ValueError, 'num_classes must be an integer of at least 1, got 0'),
    'no width': (lambda: loss(feat_dims=-1), ValueError, 'feat_dims must be an integer of at least 1, got -1'),
    'weight below 0': (lambda: loss(loss_weight=-1.0), ValueError, 'loss_weight must .* at least 0, got -1.0'),
    'features of one image': (
        lambda: forward(features=FEATURES[0]),
        ValueError,
        r'must be 2-D .* got shape \(5,\); pool',
    ),
    'maps': (lambda: forward(features=torch.ones(B, D, 2, 2)), ValueError, r'2-D .* got shape \(4, 5, 2, 2\); pool or flatten'),
    'another width': (lambda: forward(features=torch.ones(B, 6)), ValueError, 'features has width 6, but 5 is needed'),
    'integer features': (lambda: forward(features=FEATURES.long()), TypeError, 'floating-point tensor .* got torch.int64'),
    'a list': (lambda: forward(features=FEATURES.tolist()), TypeError, 'floating-point tensor .* got list'),
    'positives of others': (lambda: forward(positives=torch.ones(2, D)), ValueError, 'positives'),
    'more logits': (lambda: forward(logits=torch.zeros(B, 7)), ValueError, '7'),
    'float labels': (lambda: forward(labels=LABELS.float()), TypeError, 'integer tensor of class indices, got torch.float32'),
    'one-hot labels': (
        lambda: forward(labels=torch.eye(C)[LABELS].long()),
        ValueError,
        r'shape \(4,\).* got \(4, 3\)',
    ),
    'too few labels': (lambda: forward(labels=LABELS[:2]), ValueError, r'must have shape \(4,\).* got \(2,\)'),
    'label -1': (lambda: forward(labels=LABELS - 1), ValueError, r'must lie in \[0, 3\), got values from -1 to 1'),
    'label C': (lambda: forward(labels=LABELS + 1), ValueError, r'must lie in \[0, 3\), got values from 1 to 3'),
    'labels elsewhere': (lambda: forward(labels=LABELS.to(ELSEWHERE)), ValueError, 'meta.*cpu.*one device|cpu.*meta'),
    'queue: width': (lambda: enqueue(features=torch.ones(B, 6)), ValueError, 'features has width 6, but 5'),
    'queue: maps': (lambda: enqueue(features=torch.ones(B, D, 1)), ValueError, '2-D'),
    'queue: integers': (lambda: enqueue(features=FEATURES.int()), TypeError, 'floating-point'),
    'queue: label C': (lambda: enqueue(labels=LABELS + 1), ValueError, r'must lie in \[0, 3\)'),
    'queue: float labels': (lambda: enqueue(labels=LABELS.float()), TypeError, 'integer tensor'),
    'queue: labels elsewhere': (lambda: enqueue(labels=LABELS.to(ELSEWHERE)), ValueError, 'one device'),
    'queue: another size': (
        lambda: ClassQueue(C, K, D).load_state_dict(ClassQueue(C, K + 1, D).state_dict()),
        ValueError,
        r'queue.*\(3, 3, 5\)',
    ),
    'function: temperature': (lambda: contrast(temperature=-1.0), ValueError, 'temperature .* got -1.0'),
    'function: reduction': (lambda: contrast(reduction='max'), ValueError, "reduction .*'max'"),
    'function: width of the queue': (lambda: contrast(queue=torch.zeros(C, K, 7)), ValueError, '7'),
    'function: queue elsewhere': (lambda: contrast(queue=torch.zeros(C, K, D, device=ELSEWHERE)), ValueError, 'one device'),
    'margin: maps': (lambda: confidence_margin(torch.zeros(B, C, 1), LABELS), ValueError, '2-D'),
    'margin: label C': (lambda: confidence_margin(LOGITS, LABELS + 1), ValueError, r'\[0, 3\)'),
    'geometry: integers': (lambda: class_geometry(FEATURES.long(), LABELS), TypeError, 'floating-point'),
    'geometry: labels': (lambda: class_geometry(FEATURES, LABELS[:1]), ValueError, r'must have shape \(4,\)'),
}


@pytest.mark.parametrize('name', CASES)
def test_a_wrong_argument_is_refused_by_name(name):
    call, kind, says = CASES[name]
    with pytest.raises(kind, match=says):
        call()


def test_the_limits_are_legal():
    """Margins of -1 and 1, an empty batch and a zero vector are not mistakes; nothing is enqueued for an empty batch."""
    for margin in (-1.0, 1.0):
        loss(margin=margin)
    empty = loss(margin=-1.0)
    assert empty(FEATURES[:0], FEATURES[:0], LOGITS[:0], LABELS[:0]) == 0
    assert not empty.queue.filled.any()
    zeros = torch.zeros(B, D, requires_grad=True)
    value = empty(zeros, zeros.detach(), LOGITS, LABELS)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(zeros.grad).all()
