_base_ = ['icckd-kd_logits_resnet32x4_resnet8x4_1xb64_cifar10.py', '../../_base_/distill/rkd_neck.py']

model = dict(distiller=_base_.rkd)
