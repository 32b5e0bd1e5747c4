_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/crd.py']

_base_.crd.distill_losses.loss_crd.update(sample_n=1437, neg_num=512)
model = dict(distiller=_base_.crd)
