_base_ = 'sdd_logits_vgg13_vgg8_1xb64_tiny-imagenet.py'

model = dict(teacher_ckpt='work_dirs/icc_vgg13_1xb64_tiny-imagenet/epoch_240.pth')
