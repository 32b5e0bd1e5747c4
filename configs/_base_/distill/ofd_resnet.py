# OFD where the ReLU comes after the short cut, resnet20 to resnet8. mmrazor takes the margin from the module that it records,
# so both sides are the last batch norm of a stage, the residual branch without the short cut; the paper has their sum
_base_ = 'ofd.py'

ofd = dict(
    student_recorders=dict(
        stage1=dict(source='backbone.layer1.0.bn2'),
        stage2=dict(source='backbone.layer2.0.bn2'),
        stage3=dict(source='backbone.layer3.0.bn2'),
    ),
    teacher_recorders=dict(
        stage1=dict(source='backbone.layer1.2.bn2'),
        stage2=dict(source='backbone.layer2.2.bn2'),
        stage3=dict(source='backbone.layer3.2.bn2'),
    ),
    connectors=dict(
        student1=dict(in_channel=16, out_channel=16),
        student2=dict(in_channel=32, out_channel=32),
        student3=dict(in_channel=64, out_channel=64),
    ),
)
