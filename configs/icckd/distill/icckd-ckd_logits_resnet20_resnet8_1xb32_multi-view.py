_base_ = 'ckd_logits_resnet20_resnet8_1xb32_multi-view.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet20_1xb32_multi-view/epoch_20.pth')
