_base_ = ['icckd-kd_logits_wrn40-2_wrn16-2_1xb64_digits.py', '../../_base_/distill/mgd.py']

_base_.mgd.connectors.mgd.update(student_channels=128, teacher_channels=128)
# a wide ResNet's last stage is a sum before batch norm, too large for a squared error: take what comes after it
_base_.mgd.student_recorders.stage3.source = _base_.mgd.teacher_recorders.stage3.source = 'backbone.relu'
model = dict(distiller=_base_.mgd)
