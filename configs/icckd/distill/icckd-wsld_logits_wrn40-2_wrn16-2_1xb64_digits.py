_base_ = ['icckd-kd_logits_wrn40-2_wrn16-2_1xb64_digits.py', '../../_base_/distill/wsld.py']

_base_.wsld.distill_losses.loss_wsld.num_classes = 10
model = dict(distiller=_base_.wsld)
