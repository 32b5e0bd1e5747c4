"""Checks that the weights in a file fit a model; mmengine only logs missing ones and keeps random weights."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from icckd_mm.engine.loading.wrapped_names import without_wrappers

# used in training only; and counters that torch itself does not require of old files
AIDS = re.compile(r'(^|.*\.)(icc_loss|data_preprocessor|(head\.)?loss_module)\..*|.*\.num_batches_tracked')
STUDENT = 'architecture.'
NAMED = 4  # keys in a message


@dataclass
class Fit:
    """How a state dict fits a model, without training aids.

    Attributes:
        given: Keys in the file.
        wanted: Keys of the model.
        missing: Keys that only the model has.
        surplus: Keys that only the file has.
        misfits: Keys whose values are of another shape or kind of number, or not tensors.
        settings: Where the network of the file differs from that of the config, as a sentence; empty if unknown.
    """

    given: list[str]
    wanted: list[str]
    missing: list[str]
    surplus: list[str]
    misfits: list[str]
    settings: str = ''

    def faults(self, prefix: str = '') -> str:
        """Everything that does not fit among the keys that begin with ``prefix``, as text; empty if all fits."""
        parts = (('missing', self.missing), ('surplus', self.surplus), ('of another shape or kind', self.misfits))
        kept = ((name, [key for key in keys if key.startswith(prefix)]) for name, keys in parts)
        return '; '.join(f'{len(keys)} {name} ({_some(keys)})' for name, keys in kept if keys)


def load_and_compare(model: nn.Module, state: dict[str, Any]) -> Fit:
    """Load the weights with torch's own loader, hooks of the model included, and report what did not fit.

    Args:
        model: Gets the weights that fit.
        state: Weights by name; ``module.`` before a name is dropped, as mmengine does, and so is what wrappers add.

    Returns:
        Keys that match :data:`AIDS` are left out, unless they have another shape.
    """
    given: Any = OrderedDict((re.sub(r'^module\.', '', key), value) for key, value in without_wrappers(state).items())
    given._metadata = getattr(state, '_metadata', OrderedDict())
    odd = [key for key, own in model.state_dict().items() if key in given and not _same_kind(key, given[key], own)]
    for key in odd:
        given[key] = None  # torch would cast it
    misfits: list[str] = []
    try:
        keys = model.load_state_dict(given, strict=False)
    except RuntimeError as error:
        misfits = re.findall(r'(?:size mismatch for |While copying the parameter named ")([^:"\s]+)', str(error))
        if not misfits:
            raise
        rest = OrderedDict((key, value) for key, value in given.items() if key not in misfits)
        rest._metadata = given._metadata  # type: ignore[attr-defined]
        keys = model.load_state_dict(rest, strict=False)
    missing = [key for key in keys.missing_keys if key not in misfits]
    return Fit(
        given=_without_aids(given),
        wanted=_without_aids(model.state_dict()),
        missing=_without_aids(missing),
        surplus=_without_aids(keys.unexpected_keys),
        misfits=misfits,
    )


def check_resumed_weights(name: str, fit: Fit) -> None:
    """Raise unless every weight of the run is in the file and the file has no other.

    Args:
        name: Of the file, for the message.
        fit: Result of :func:`load_and_compare`.

    Raises:
        ValueError: Naming some of the keys.
    """
    if fit.faults():
        raise ValueError(
            f'{name} cannot be resumed from: its weights are not those of this model: {fit.faults()}. {fit.settings}'
            f'{prefix_hint(fit)}Give the config that it was trained with, or start from its weights with load_from=FILE, '
            'without --resume'
        )


def check_starting_weights(name: str, fit: Fit) -> None:
    """Raise if not one weight of the backbone is in the file: training would start from random weights.

    Args:
        name: Of the file, for the message.
        fit: Result of :func:`load_and_compare`.

    Raises:
        ValueError: If so; names the prefix of the keys if that is the reason.
    """
    backbone = [key for key in fit.wanted if key.startswith(('backbone.', f'{STUDENT}backbone.'))] or fit.wanted
    if backbone and not set(backbone) - set(fit.missing) - set(fit.misfits):
        found = _some(fit.given) or 'no weights'
        raise ValueError(
            f'load_from: {name} has none of the {len(backbone)} weights of the backbone ({_some(backbone)}); it has {found}. '
            f'{fit.settings}{prefix_hint(fit)}Give a file of this network'
        )


def check_tested_weights(name: str, fit: Fit, distilled: bool) -> None:
    """Raise unless the file holds all weights of the tested network and no others.

    Args:
        name: Of the file, for the message.
        fit: Result of :func:`load_and_compare`.
        distilled: Whether the model is a distillation, of which only the student counts.

    Raises:
        ValueError: Naming some of the keys.
    """
    faults = fit.faults(STUDENT if distilled else '')
    if faults:
        raise ValueError(
            f'{name} cannot be tested: its weights are not those of the model in the config: {faults}. {fit.settings}'
            f'{prefix_hint(fit)}'
            'Give the config that it was trained with'
        )


def prefix_hint(fit: Fit) -> str:
    """A sentence about a prefix that keeps the keys from fitting; empty if there is none."""
    wanted, given = set(fit.wanted), set(fit.given)
    parts = {part for key in fit.given for part in _beginnings(key)}
    for prefix in sorted(parts, key=len):
        if sum(key[len(prefix) :] in wanted for key in given if key.startswith(prefix)) * 2 > len(wanted):
            return f'Its keys begin with {prefix!r}: remove it. '
    for prefix in sorted({part for key in fit.wanted for part in _beginnings(key)}, key=len):
        if given and sum(prefix + key in wanted for key in given) * 2 > len(given):
            return f'Its keys lack {prefix!r}: add it. '
    return ''


def _same_kind(key: str, value: Any, own: Any) -> bool:
    """Whether both are real, complex or whole numbers; what cannot be compared is left to torch."""
    if AIDS.fullmatch(key) or not (isinstance(value, Tensor) and isinstance(own, Tensor)):
        return True
    return (value.is_complex(), value.is_floating_point()) == (own.is_complex(), own.is_floating_point())


def _beginnings(key: str) -> list[str]:
    return [key[: dot.end()] for dot in re.finditer(r'\.', key)][:3]


def _without_aids(keys: Iterable[str]) -> list[str]:
    return [key for key in keys if not AIDS.fullmatch(key)]


def as_name(key: Any) -> str:
    """A key of a file for a message: short, and without line breaks or codes for the terminal."""
    text = str(key)[:80]
    return text if text.isprintable() else repr(text)


def _some(keys: list[str]) -> str:
    return ', '.join(map(as_name, keys[:NAMED])) + (', ...' if len(keys) > NAMED else '')
