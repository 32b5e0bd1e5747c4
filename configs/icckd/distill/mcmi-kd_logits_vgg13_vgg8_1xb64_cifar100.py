_base_ = 'kd_logits_vgg13_vgg8_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/mcmi_vgg13_1xb64_cifar100/epoch_20.pth')
