_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/ctkd.py']

model = dict(distiller=_base_.ctkd)
