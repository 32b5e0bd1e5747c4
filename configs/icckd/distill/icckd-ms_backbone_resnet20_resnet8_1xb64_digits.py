_base_ = 'ms_backbone_resnet20_resnet8_1xb64_digits.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet20_1xb64_digits/epoch_15.pth')
