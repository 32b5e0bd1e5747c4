_base_ = ['icckd-kd_logits_resnet34_resnet18_8xb32_in1k.py', '../../_base_/distill/rkd_neck.py']

model = dict(distiller=_base_.rkd)
