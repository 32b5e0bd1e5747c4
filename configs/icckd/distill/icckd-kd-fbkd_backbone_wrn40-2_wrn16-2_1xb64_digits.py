_base_ = ['icckd-kd_logits_wrn40-2_wrn16-2_1xb64_digits.py', '../../_base_/distill/fbkd.py']

_base_.fbkd.connectors.fbkd_student.in_channels = _base_.fbkd.connectors.fbkd_teacher.in_channels = 128
# a wide ResNet's last stage is a sum before batch norm: take what comes after it
_base_.fbkd.student_recorders.stage3.source = _base_.fbkd.teacher_recorders.stage3.source = 'backbone.relu'
model = dict(distiller=_base_.fbkd)
