_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/vid.py']

model = dict(distiller=_base_.vid, architecture=dict(head=dict(loss=dict(loss_weight=1.0))))
