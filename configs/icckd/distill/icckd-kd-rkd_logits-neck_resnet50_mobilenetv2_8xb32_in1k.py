_base_ = 'kd-rkd_logits-neck_resnet50_mobilenetv2_8xb32_in1k.py'

model = dict(teacher_ckpt='work_dirs/icc_resnet50_8xb32_in1k/epoch_100.pth')
