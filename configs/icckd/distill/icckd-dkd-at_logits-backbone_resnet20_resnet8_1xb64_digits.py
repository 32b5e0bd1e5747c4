_base_ = ['icckd-dkd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/at.py']

model = dict(distiller=_base_.at)
