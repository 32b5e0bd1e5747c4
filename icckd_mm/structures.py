"""Data structures passed from data loaders to networks."""

from __future__ import annotations


class PreparedSamples(list):
    """The data samples of a batch whose labels are on the network's device already, so no further preparation is needed."""
