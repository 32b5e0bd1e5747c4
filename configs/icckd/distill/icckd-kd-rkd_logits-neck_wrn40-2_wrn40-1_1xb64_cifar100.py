_base_ = ['icckd-kd_logits_wrn40-2_wrn40-1_1xb64_cifar100.py', '../../_base_/distill/rkd_neck.py']

model = dict(distiller=_base_.rkd)
