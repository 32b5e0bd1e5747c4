_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/sp.py']

model = dict(distiller=_base_.sp, architecture=dict(head=dict(loss=dict(loss_weight=1.0))))
