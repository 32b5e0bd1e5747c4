"""A mistake of a user, and the message of the command."""

from typing import NamedTuple

BASES = {
    'ce': 'configs/icckd/baseline/ce_resnet8_1xb64_digits.py',
    'icc': 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py',
    'kd': 'configs/icckd/distill/icckd-kd_logits_resnet20_resnet8_1xb64_digits.py',
}


class Case(NamedTuple):
    """A call of a command that must be refused.

    Attributes:
        says: Pattern in the message: name and value of what is wrong, and what to do.
        base: Config of the repository that is trained, if there is one.
        body: Code of a config based on it.
        options: For ``--cfg-options``.
        flags: Other arguments; ``{files}`` is the folder with the bad files.
        tool: Which command.
        begun: Whether the runner has begun, so that there is a work dir with a log; otherwise there is none.
    """

    says: str
    base: str = 'ce'
    body: str = ''
    options: tuple = ()
    flags: tuple = ()
    tool: str = 'train'
    begun: bool = False


def option(text, says, base='ce', **more):
    return Case(says, base, options=(text,), **more)
