_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb32_multi-view.py', '../../_base_/distill/rkd_neck.py']

model = dict(distiller=_base_.rkd)
