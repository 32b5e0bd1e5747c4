_base_ = 'wttm_logits_wrn40-2_wrn16-2_1xb64_tiny-imagenet.py'

model = dict(teacher_ckpt='work_dirs/icc_wrn40-2_1xb64_tiny-imagenet/epoch_240.pth')
