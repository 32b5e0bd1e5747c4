_base_ = 'kd_logits_resnet32x4_resnet8x4_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/mcmi_resnet32x4_1xb64_cifar100/epoch_20.pth')
