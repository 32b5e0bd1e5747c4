"""Cost of the intra-class contrastive loss, forward, backward and enqueue, against the bare products and other variants.

The base is one gathered product, log-sum-exp and a scatter enqueue, without normalisation, gate, masks or checks. The peer is
pytorch-metric-learning's ``CrossBatchMemory(SupConLoss)`` with a memory of the queue's size; it contrasts classes where ours
contrasts the images of a class, so only the cost can be compared. It is skipped if not installed.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

import torch
from torch import Tensor

from benchmarks.measure import Case, Setting, aim, measure
from icckd_mm.models.losses import IntraClassContrastiveLoss

try:
    from pytorch_metric_learning.losses import CrossBatchMemory, SupConLoss
except ImportError:
    CrossBatchMemory = None

MOST = {
    (64, 100, 32, 256): 1.2,
    (256, 1000, 16, 512): 1.4,
    (128, 10, 256, 512): 0.35,
}  # B, C, K, D and the highest good ratio
PEER_SHAPE, PEER_LEAST = (256, 1000, 16, 512), 40
DENSE_LIMIT = 1 << 30  # bytes of the (B, C*K) matrix of the dense variant
PEER = 'CrossBatchMemory(SupConLoss)'


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One table per shape."""
    if CrossBatchMemory is None:
        print('pytorch-metric-learning is not installed: its CrossBatchMemory is skipped')
    return [_table(shape, setting) for shape in ([(8, 4, 3, 16)] if setting.quick else MOST)]


def _table(shape: tuple[int, int, int, int], setting: Setting) -> dict[str, Any]:
    table = measure(f'Loss, (B, C, K, D) = {shape}', build(shape, setting.device), setting, rounds=200)
    if shape in MOST:
        aim(table, 'ours / bare', table['rows']['ours']['ratio'], MOST[shape])
    if shape == PEER_SHAPE and PEER in table['rows']:
        faster = table['rows'][PEER]['median_ms'] / table['rows']['ours']['median_ms']
        aim(table, f'{PEER} / ours', faster, least=PEER_LEAST)
    return table


def bare(features: Tensor, positives: Tensor, labels: Tensor, queue: Tensor, ptr: Tensor) -> Tensor:
    """The minimal work: gather, one product, InfoNCE, scatter."""
    classes, slots, width = queue.shape
    rows = queue.view(classes, -1).index_select(0, labels).view(-1, slots, width)
    products = torch.bmm(features[:, None, :], rows.transpose(1, 2)).squeeze(1)
    positive = (features * positives).sum(1, keepdim=True)
    loss = (torch.cat([positive, products], dim=1) / 0.1).logsumexp(dim=1).sub(positive[:, 0] / 0.1).mean()
    with torch.no_grad():
        ordered, order = labels.sort(stable=True)
        rank = torch.arange(len(labels), device=labels.device) - torch.searchsorted(ordered, ordered)
        slot = (ptr[ordered] + rank) % slots
        queue.view(-1, width).index_copy_(0, ordered * slots + slot, features[order])
        ptr.scatter_add_(0, ordered, torch.ones_like(ordered)).remainder_(slots)
    return loss


def dense(features: Tensor, positives: Tensor, labels: Tensor, queue: Tensor, ptr: Tensor) -> Tensor:
    """The usual variant: products with all classes, other classes masked."""
    classes, slots, width = queue.shape
    products = features @ queue.view(-1, width).T
    own = torch.arange(classes, device=labels.device).repeat_interleave(slots) == labels[:, None]
    positive = (features * positives).sum(1, keepdim=True)
    both = torch.cat([positive, products.masked_fill(~own, -1e9)], dim=1) / 0.1
    return both.logsumexp(dim=1).sub(positive[:, 0] / 0.1).mean()


def build(shape: tuple[int, int, int, int], device: str) -> dict[str, Case]:
    batch, classes, slots, width = shape
    torch.manual_seed(0)
    unit = partial(torch.nn.functional.normalize, dim=-1)
    features, positives = (unit(torch.randn(batch, width, device=device)) for _ in range(2))
    labels, logits = torch.randint(classes, (batch,), device=device), torch.randn(batch, classes, device=device)
    queue = unit(torch.randn(classes, slots, width, device=device))
    ptr = torch.zeros(classes, dtype=torch.long, device=device)

    def step(loss: Callable[[Tensor], Tensor]) -> None:
        anchors = features.clone().requires_grad_()
        loss(anchors).backward()

    def ours(**options: bool) -> Case:
        module = IntraClassContrastiveLoss(classes, width, queue_size=slots, margin=-1.0, loss_weight=1.0, **options).to(device)
        module.queue.queue.copy_(queue)
        module.queue.filled.fill_(slots)
        return Case(partial(step, lambda anchors: module(anchors, positives, logits, labels)))

    forms = {
        'bare': Case(partial(step, lambda anchors: bare(anchors, positives, labels, queue, ptr))),
        'ours': ours(in_batch_negatives=False),
        'ours, in-batch negatives': ours(),
    }
    if batch * classes * slots * 4 <= DENSE_LIMIT:
        forms['dense, masked'] = Case(partial(step, lambda anchors: dense(anchors, positives, labels, queue, ptr)))
    if CrossBatchMemory is not None:
        peer = CrossBatchMemory(SupConLoss(temperature=0.1), width, memory_size=classes * slots).to(device)
        owners = torch.arange(classes, device=device).repeat_interleave(slots)
        peer(queue.reshape(-1, width), owners)  # fills the memory
        forms[PEER] = Case(partial(step, lambda anchors: peer(anchors, labels)))
    return forms
