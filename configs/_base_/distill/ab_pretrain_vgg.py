# Activation boundaries from vgg13 to vgg8: output of the last batch norm of each of the last three stages, before its ReLU
_base_ = 'ab_pretrain.py'

model = dict(
    distiller=dict(
        student_recorders=dict(
            stage1=dict(source='backbone.layer3.bn1'),
            stage2=dict(source='backbone.layer4.bn1'),
            stage3=dict(source='backbone.layer5.bn1'),
        ),
        teacher_recorders=dict(
            stage1=dict(source='backbone.layer3.bn2'),
            stage2=dict(source='backbone.layer4.bn2'),
            stage3=dict(source='backbone.layer5.bn2'),
        ),
        connectors=dict(
            boundary1=dict(in_channel=256, out_channel=256),
            boundary2=dict(in_channel=512, out_channel=512),
            boundary3=dict(in_channel=512, out_channel=512),
        ),
    )
)
