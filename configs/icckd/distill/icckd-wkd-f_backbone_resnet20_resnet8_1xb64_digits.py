_base_ = ['icckd-kd_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/wkd_f.py']

model = dict(distiller=_base_.wkd_f, architecture=dict(head=dict(loss=dict(loss_weight=1.0))))
custom_hooks = [dict(type='icckd_mm.DistillWeightHook', losses=['loss_wkd_f'], schedule='cosine', start=9)]
