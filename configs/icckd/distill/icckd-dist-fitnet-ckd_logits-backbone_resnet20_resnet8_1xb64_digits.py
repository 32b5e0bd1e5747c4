_base_ = ['icckd-dist_logits_resnet20_resnet8_1xb64_digits.py', '../../_base_/distill/fitnet.py']

model = dict(distiller=_base_.fitnet)
model['distiller']['distill_losses']['loss_ckd'] = dict(type='icckd_mm.SampleWiseContrastiveLoss', loss_weight=10.0)
model['distiller']['loss_forward_mappings']['loss_ckd'] = dict(
    preds_S=dict(from_student=True, recorder='logits'), preds_T=dict(from_student=False, recorder='logits')
)
