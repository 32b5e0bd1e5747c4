"""Tiny-ImageNet as it is, 200 classes at 64x64, with networks and schedule of the benchmark: for GPUs, or ``--slurm``."""

name = 'tiny-imagenet-gpu'
title = 'Trial of ICCKD on Tiny-ImageNet: 100,000 training images, WRN-40-2 to WRN-16-2, 240 epochs'
seeds = [0, 1, 2]  # 7 seeds could give a verdict
default = dict(data='tiny-imagenet', pair='wrn40-2_wrn16-2')
designs = [dict(type='product', student=['kd', 'kd-rkd'], loss_weight=[0.02])]
device_loader = True
