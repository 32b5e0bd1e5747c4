_base_ = ['icckd-kd_logits_wrn40-2_wrn16-2_1xb64_digits.py', '../../_base_/distill/cwd.py']

model = dict(distiller=_base_.cwd)
