_base_ = ['icckd-kd_logits_resnet50_vgg8_1xb64_cifar100.py', '../../_base_/distill/rkd_neck.py']

model = dict(distiller=_base_.rkd)
