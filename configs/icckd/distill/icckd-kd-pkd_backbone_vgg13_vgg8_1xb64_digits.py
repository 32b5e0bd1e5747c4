_base_ = ['icckd-kd_logits_vgg13_vgg8_1xb64_digits.py', '../../_base_/distill/pkd.py']

model = dict(distiller=_base_.pkd)
