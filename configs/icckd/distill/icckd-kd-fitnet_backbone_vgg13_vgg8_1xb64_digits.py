_base_ = ['icckd-kd_logits_vgg13_vgg8_1xb64_digits.py', '../../_base_/distill/fitnet.py']

_base_.fitnet.connectors.hint.update(in_channel=128, out_channel=128)
model = dict(distiller=_base_.fitnet)
