"""The headline of a tuning promises no more than its statistics."""

import pytest

from icckd_mm.lab.stats.paired import compare, verdicts
from icckd_mm.lab.tuning.candidate import Candidate
from icckd_mm.lab.tuning.report import _verdict


@pytest.mark.parametrize(
    ('ahead', 'seeds', 'head'),
    [
        ([0.1, -0.2, 0.4, 0.0, 0.2], 5, 'No winner is shown. Ahead is candidate 3, +0.10 points over 5 seeds'),
        ([1.0, 1.0], 2, 'No winner is shown. Ahead is candidate 3, +1.00 points over 2 seeds'),
        ([1.0, 1.1, 1.2, 0.9, 1.0, 0.8, 1.1, 0.9], 8, 'Winner: candidate 3, +1.00 points over 8 seeds'),
    ],
)
def test_a_winner_is_named_only_where_one_is_shown(ahead, seeds, head):
    found = compare([90 + one for one in ahead], [90.0] * seeds)
    (judged,) = verdicts([found])
    ahead_is = Candidate(3, {})
    assert _verdict(ahead_is, ahead_is, found, judged[1], seeds).startswith(head)
