_base_ = 'kd-2view_logits_vgg13_vgg8_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/icc_vgg13_1xb64_cifar100/epoch_240.pth')
