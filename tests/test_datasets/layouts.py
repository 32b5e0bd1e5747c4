"""Tiny generated copies of the data sets' layouts on disk."""

import pickle

import cv2
import numpy as np
from mmpretrain.datasets import CIFAR10

WNIDS = ('n02', 'n01', 'n03')  # wnids.txt is not sorted in the original either
PER_CLASS = 4


def picture(path, level, size=64):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size, size, 3), level, np.uint8))


def tiny_imagenet(root):
    """Three classes; the grey level of an image is 40 times the number in its wnid."""
    root.mkdir(parents=True)
    (root / 'wnids.txt').write_text('\n'.join(WNIDS) + '\n')
    (root / 'words.txt').write_text('n00\tentity\nn01\tgoldfish, Carassius auratus\nn02\tbullfrog\n')
    for wnid in WNIDS:
        names = [f'{wnid}_{i}.JPEG' for i in range(PER_CLASS)]
        for name in names:
            picture(root / 'train' / wnid / 'images' / name, 40 * int(wnid[1:]))
        (root / 'train' / wnid / f'{wnid}_boxes.txt').write_text(''.join(f'{name}\t0\t0\t9\t9\n' for name in names))
    listed = [(f'val_{i}.JPEG', WNIDS[i % 3]) for i in range(6)]
    for name, wnid in listed:
        picture(root / 'val' / 'images' / name, 40 * int(wnid[1:]))
    (root / 'val' / 'val_annotations.txt').write_text(''.join(f'{name}\t{wnid}\t0\t0\t9\t9\n' for name, wnid in listed))
    return root


def image_folder(root):
    """Three classes."""
    for label, name in enumerate(('cat', 'dog', 'owl')):
        for index in range(PER_CLASS):
            picture(root / name / f'{index}.png', 40 * label)
    return root


def cifar10(root, monkeypatch):
    """Six batches of ten images each, one of each class; the originals' checksums are taken out of mmpretrain's reader."""
    for files in ('train_list', 'test_list'):
        monkeypatch.setattr(CIFAR10, files, [[name, None] for name, _ in getattr(CIFAR10, files)])
    folder = root / CIFAR10.base_folder
    folder.mkdir(parents=True)
    for name, _ in CIFAR10.train_list + CIFAR10.test_list:
        data = np.repeat(np.arange(10, dtype=np.uint8)[:, None] * 20, 3072, axis=1)
        (folder / name).write_bytes(pickle.dumps({'data': data, 'labels': list(range(10))}))
    return root
