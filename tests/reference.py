"""Slow transcriptions of the formulas, sample by sample in float64, without the functions under test."""

import math

import torch


def cosine(a, b):
    a, b = [float(x) for x in a], [float(x) for x in b]
    norms = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b)) / norms if norms else 0.0


def margin(logits, label):
    logits = [float(z) for z in logits]
    exps = [math.exp(z) for z in logits]
    total = sum(exps)
    probs = [e / total for e in exps]
    return probs[label] - max([p for j, p in enumerate(probs) if j != label], default=0.0)


def unit(row):
    """A differentiable unit row by definition; zero stays zero."""
    norm = row.pow(2).sum()
    return row / norm.sqrt() if norm > 0 else row * 0


def intra_class(
    anchors, positives, labels, queue=None, filled=None, pool=None, pool_labels=None, offset=0, batch=True, tau=0.1
):
    """List of the losses of all anchors, differentiable; negatives are collected one by one."""
    losses = []
    candidates, candidate_labels = (anchors, labels) if pool is None else (pool, pool_labels)
    for i in range(len(anchors)):
        anchor = unit(anchors[i])
        positive = (anchor * unit(positives[i])).sum() / tau
        negatives = []
        if batch:
            for j in range(len(candidates)):
                if j != offset + i and int(candidate_labels[j]) == int(labels[i]):
                    negatives.append((anchor * unit(candidates[j])).sum() / tau)
        if queue is not None:
            slots = queue.size(1) if filled is None else int(filled[labels[i]])
            for k in range(slots):
                negatives.append((anchor * unit(queue[labels[i], k].double())).sum() / tau)
        top = max([positive.detach(), *[n.detach() for n in negatives]])
        total = (positive - top).exp() + sum((n - top).exp() for n in negatives)
        losses.append(top + total.log() - positive)
    return losses


def enqueue(queue, ptr, filled, features, labels):
    """First in, first out, row by row."""
    for row, label in zip(features, labels.tolist()):
        if not bool(torch.isfinite(row).all()):
            continue
        queue[label, ptr[label]] = torch.nn.functional.normalize(row.double(), dim=0).to(queue.dtype)
        ptr[label] = (ptr[label] + 1) % queue.size(1)
        filled[label] = min(int(filled[label]) + 1, queue.size(1))
