_base_ = 'nkd_logits_resnet110_resnet20_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet110_1xb64_cifar100/epoch_240.pth')
