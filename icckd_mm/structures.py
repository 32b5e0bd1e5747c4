"""What passes between data loaders and networks."""

from __future__ import annotations


class PreparedSamples(list):
    """The data samples of a batch whose labels are on the network's device already: nothing is left to do for each of them."""
