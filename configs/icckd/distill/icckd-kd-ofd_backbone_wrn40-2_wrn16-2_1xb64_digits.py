_base_ = ['icckd-kd_logits_wrn40-2_wrn16-2_1xb64_digits.py', '../../_base_/distill/ofd.py']

model = dict(type='icckd_mm.OverhaulFeatureDistillation', distiller=_base_.ofd)
