_base_ = 'kd_logits_vgg13_vgg8_1xb64_digits.py'

model = dict(teacher_ckpt='work_dirs/icc_vgg13_1xb64_digits/epoch_15.pth')
