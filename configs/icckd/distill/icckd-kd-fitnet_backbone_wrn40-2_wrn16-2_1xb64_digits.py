_base_ = ['icckd-kd_logits_wrn40-2_wrn16-2_1xb64_digits.py', '../../_base_/distill/fitnet.py']

_base_.fitnet.connectors.hint.update(in_channel=64, out_channel=64)
model = dict(distiller=_base_.fitnet)
