"""The measures of a record, by column header."""

from __future__ import annotations

from icckd_mm.lab.experiment.results import Record

GEOMETRY = ('intra', 'inter', 'ratio')
OPTIONAL = ('subclass_probe', 'views')  # dicts of measures that only some data sets have


def measures(record: Record) -> dict[str, float]:
    """Geometry, calibration error and entropy, and the measures that only some data sets have."""
    found = {**{name: record['geometry'][name] for name in GEOMETRY}, 'ECE': record['ece'], 'entropy': record['entropy']}
    for key in OPTIONAL:
        for name, value in (record.get(key) or {}).items():
            if value is not None:
                found[f'{key}: {name}'.replace('_', ' ')] = value
    return found
