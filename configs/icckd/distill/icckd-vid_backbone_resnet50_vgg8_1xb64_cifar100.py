_base_ = 'vid_backbone_resnet50_vgg8_1xb64_cifar100.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet50_1xb64_cifar100/epoch_240.pth')
