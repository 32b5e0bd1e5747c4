_base_ = ['icckd-kd_logits_vgg13_vgg8_1xb64_digits.py', '../../_base_/distill/dist.py']

model = dict(distiller=_base_.dist, architecture=dict(head=dict(loss=dict(loss_weight=1.0))))
