_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/ofd_resnet.py']

model = dict(type='icckd_mm.OverhaulFeatureDistillation', distiller=_base_.ofd)
