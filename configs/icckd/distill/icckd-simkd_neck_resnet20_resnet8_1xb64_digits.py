_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/simkd.py']

model = dict(type='icckd_mm.ReusedClassifierDistill', distiller=_base_.simkd, architecture=dict(neck=_base_.simkd_neck))
