_base_ = ['icckd-kd_logits_vgg13_vgg8_1xb64_digits.py', '../../_base_/distill/crd.py']

_base_.crd.connectors.crd_student.dim_in = _base_.crd.connectors.crd_teacher.dim_in = 512
_base_.crd.distill_losses.loss_crd.update(sample_n=1437, neg_num=512)
model = dict(distiller=_base_.crd)
