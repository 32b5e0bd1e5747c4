_base_ = ['icckd-kd_logits_vgg13_vgg8_1xb64_digits.py', '../../_base_/distill/fbkd.py']

_base_.fbkd.connectors.fbkd_student.in_channels = _base_.fbkd.connectors.fbkd_teacher.in_channels = 256
model = dict(distiller=_base_.fbkd)
