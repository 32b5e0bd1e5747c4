"""The arguments of constructors that pass ``**kwargs`` on, against what Python itself accepts."""

import inspect

import pytest
from torch import nn

from icckd_mm.config.signatures import arguments_of


class Base:
    def __init__(self, depth=1, *, width=2):
        pass


class Handing(Base):
    def __init__(self, *args, height=3, **kwargs):
        super().__init__(*args, **kwargs)


class Silent(Handing):
    pass


class Taking(Silent):
    def __init__(self, **options):
        self.colour = options.pop('colour', None)
        super(Taking, self).__init__(**options)  # noqa: UP008


class Storing(Base):
    def __init__(self, own=1, **kwargs):
        super().__init__(**kwargs)
        self.kwargs = kwargs


class Dropping(Base):
    def __init__(self, own=1, **kwargs):
        super().__init__()


class Module(nn.Module):
    def __init__(self, rate=0.1, **kwargs):
        super().__init__(**kwargs)


EXPECTED = {
    Base: ({'depth', 'width'}, True),
    Handing: ({'depth', 'width', 'height'}, True),
    Silent: ({'depth', 'width', 'height'}, True),
    Taking: ({'depth', 'width', 'height', 'colour'}, True),
    Storing: ({'own', 'depth', 'width'}, False),
    Dropping: ({'own', 'depth', 'width'}, False),
    Module: ({'rate'}, True),
}


@pytest.mark.parametrize('target', EXPECTED, ids=lambda target: target.__name__)
def test_arguments(target):
    assert arguments_of(target) == EXPECTED[target]


@pytest.mark.parametrize('target', [one for one, (_, complete) in EXPECTED.items() if complete], ids=lambda one: one.__name__)
def test_python_takes_all_of_them_and_no_other(target):
    names = arguments_of(target).names
    target(**dict.fromkeys(names, 1))
    with pytest.raises(TypeError, match='surplus'):
        target(**dict.fromkeys(names, 1), surplus=1)


def test_functions_and_what_has_no_signature():
    assert arguments_of(inspect.getsource) == ({'object'}, True)
    assert arguments_of(lambda a, **rest: a) == ({'a'}, False)
    assert not arguments_of(dict).complete
