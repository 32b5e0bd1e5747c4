"""The measures of a record, by column header."""

from __future__ import annotations

from icckd_mm.lab.experiment.results import Record

GEOMETRY = ('intra', 'inter', 'ratio')
OPTIONAL = ('subclass_probe', 'hidden_classes', 'views')  # dicts of measures that only some data sets have
NEWER = {'cmi': 'CMI', 'lowest_class': 'lowest class'}  # records of earlier versions do not hold them


def measures(record: Record) -> dict[str, float]:
    """Geometry, calibration and entropy, and what only newer records or some data sets have."""
    found = {**{name: record['geometry'][name] for name in GEOMETRY}, 'ECE': record['ece'], 'entropy': record['entropy']}
    found.update({header: record[name] for name, header in NEWER.items() if name in record})
    for key in OPTIONAL:
        for name, value in (record.get(key) or {}).items():
            if value is not None:
                found[f'{key}: {name}'.replace('_', ' ')] = value
    return found
