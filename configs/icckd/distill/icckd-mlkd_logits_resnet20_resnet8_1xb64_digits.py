_base_ = ['icckd-kd-2view_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/mlkd.py']

model = dict(
    distiller=_base_.mlkd,
    architecture=dict(head=dict(loss=dict(loss_weight=0.2))),  # the published 0.1 for each view
)
