_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/cc.py']

model = dict(distiller=_base_.cc, architecture=dict(head=dict(loss=dict(loss_weight=1.0))))
