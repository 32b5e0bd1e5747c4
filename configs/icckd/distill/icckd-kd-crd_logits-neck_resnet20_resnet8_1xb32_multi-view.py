_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb32_multi-view.py', '../../_base_/distill/crd.py']

_base_.crd.distill_losses.loss_crd.update(sample_n=500, neg_num=256)
model = dict(distiller=_base_.crd)
