# Activation boundaries between wide ResNets of factor 2: output of the batch norm after each stage, before its ReLU
_base_ = 'ab_pretrain.py'

model = dict(
    distiller=dict(
        student_recorders=dict(
            stage1=dict(source='backbone.layer2.0.bn1'),
            stage2=dict(source='backbone.layer3.0.bn1'),
            stage3=dict(source='backbone.bn1'),
        ),
        teacher_recorders=dict(
            stage1=dict(source='backbone.layer2.0.bn1'),
            stage2=dict(source='backbone.layer3.0.bn1'),
            stage3=dict(source='backbone.bn1'),
        ),
        connectors=dict(
            boundary1=dict(in_channel=32, out_channel=32),
            boundary2=dict(in_channel=64, out_channel=64),
            boundary3=dict(in_channel=128, out_channel=128),
        ),
    )
)
