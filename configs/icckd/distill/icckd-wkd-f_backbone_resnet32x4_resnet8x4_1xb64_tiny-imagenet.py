_base_ = 'wkd-f_backbone_resnet32x4_resnet8x4_1xb64_tiny-imagenet.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet32x4_1xb64_tiny-imagenet/epoch_240.pth')
