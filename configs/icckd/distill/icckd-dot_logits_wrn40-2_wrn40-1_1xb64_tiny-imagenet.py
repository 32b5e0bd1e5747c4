_base_ = 'dot_logits_wrn40-2_wrn40-1_1xb64_tiny-imagenet.py'

model = dict(teacher_ckpt='work_dirs/icc_wrn40-2_1xb64_tiny-imagenet/epoch_240.pth')
