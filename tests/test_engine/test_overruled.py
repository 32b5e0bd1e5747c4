"""A resumed run says what it asks for and the checkpoint overrules."""

from mmengine.config import Config

from icckd_mm.engine.loading.overruled import overruled_options


def asked(lr, t_max, epochs):
    return Config(
        dict(
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr)),
            param_scheduler=[dict(type='CosineAnnealingLR', T_max=t_max)],
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
        )
    )


def test_other_schedules_and_rates_are_listed_with_what_to_do():
    (line,) = overruled_options(asked(0.1, 5, 5).pretty_text, asked(0.2, 9, 9))
    for part in (
        'optim_wrapper.optimizer.lr=0.2 (checkpoint: 0.1)',
        'T_max=9 (checkpoint: 5)',
        '--new-schedule',
    ):
        assert part in line
    assert 'max_epochs' not in line  # the run's own counts


def test_the_same_schedule_says_nothing():
    assert overruled_options(asked(0.1, 5, 5).pretty_text, asked(0.1, 5, 9)) == []
