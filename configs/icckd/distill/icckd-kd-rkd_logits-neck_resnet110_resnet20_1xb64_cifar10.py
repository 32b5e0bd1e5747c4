_base_ = ['icckd-kd_logits_resnet110_resnet20_1xb64_cifar10.py', '../../_base_/distill/rkd_neck.py']

model = dict(distiller=_base_.rkd)
