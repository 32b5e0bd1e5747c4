_base_ = ['icckd-kd_logits_vgg13_vgg8_1xb64_digits.py', '../../_base_/distill/ofd_vgg.py']

model = dict(type='icckd_mm.OverhaulFeatureDistillation', distiller=_base_.ofd)
