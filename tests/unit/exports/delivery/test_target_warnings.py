"""What is told of a target before a delivery fails there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from partner_exchange.exports.delivery.target_warnings import TargetWarning, of_expiry, of_topic

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("days", "within"),
    [(400, None), (31, None), (30, 30), (20, 30), (14, 14), (8, 14), (7, 7), (3, 3), (2, 3), (1, 1), (0, 1)],
)
def test_X10_the_end_of_a_login_is_told_at_steps_and_a_missed_night_leaves_none_out(
    days: int, within: int | None
) -> None:
    last_on = TODAY + timedelta(days=days)
    found = of_expiry("their.sftp", last_on, TODAY)
    if within is None:
        assert found is None
    else:
        assert found == TargetWarning("their.sftp", f"target-login-ends-within-{within}-days", last_on)


def test_X10_a_login_that_has_ended_is_for_the_probe_to_tell() -> None:
    assert of_expiry("their.sftp", TODAY - timedelta(days=1), TODAY) is None


def test_X10_a_topic_can_be_read_back_whatever_the_connection_is_called() -> None:
    warning = TargetWarning("their.sftp.2", "target-login-refused", TODAY)
    assert warning.topic == "their.sftp.2.target-login-refused.20261121"
    assert of_topic(warning.topic) == warning
    assert not warning.is_of_expiry
