_base_ = 'kd_logits_wrn40-2_wrn16-2_1xb64_digits.py'

model = dict(teacher_ckpt='work_dirs/icc_wrn40-2_1xb64_digits/epoch_15.pth')
