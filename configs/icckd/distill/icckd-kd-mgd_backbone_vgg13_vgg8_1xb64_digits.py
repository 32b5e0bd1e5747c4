_base_ = ['icckd-kd_logits_vgg13_vgg8_1xb64_digits.py', '../../_base_/distill/mgd.py']

_base_.mgd.connectors.mgd.update(student_channels=256, teacher_channels=256)
model = dict(distiller=_base_.mgd)
