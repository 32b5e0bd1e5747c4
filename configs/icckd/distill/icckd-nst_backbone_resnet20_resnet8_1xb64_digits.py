_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/nst.py']

model = dict(distiller=_base_.nst, architecture=dict(head=dict(loss=dict(loss_weight=1.0))))
