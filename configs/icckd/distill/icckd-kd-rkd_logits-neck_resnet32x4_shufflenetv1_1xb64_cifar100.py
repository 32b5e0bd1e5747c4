_base_ = ['icckd-kd_logits_resnet32x4_shufflenetv1_1xb64_cifar100.py', '../../_base_/distill/rkd_neck.py']

model = dict(distiller=_base_.rkd)
