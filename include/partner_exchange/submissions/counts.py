"""What a step hands back: ids, states, counts and seconds; never a name or a value from inside the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from time import monotonic

from partner_exchange.ledger.submissions import Submission


@dataclass(frozen=True)
class Counts:
    """The ledger's view of a submission after a step; row counts are None until they are known."""

    submission_id: str
    state: str
    outcome: str | None
    rows_total: int | None
    rows_accepted: int | None
    rows_rejected: int | None
    rows_created: int | None
    rows_updated: int | None
    rows_unchanged: int | None
    part_counts: Mapping[str, int]
    """Counts of what is smaller than a row, such as ``doses_stored``."""
    seconds: float

    def as_dict(self) -> dict[str, str | int | float | None]:
        """Return plain values for a log line or an XCom, counts of parts among them."""
        values = asdict(self)
        return {**values, **values.pop("part_counts")}


def counts_of(submission: Submission, started_s: float) -> Counts:
    """Return the counts of a submission; ``started_s`` is the step's ``time.monotonic()`` at its start."""
    return Counts(
        submission_id=submission.submission_id,
        state=str(submission.state),
        outcome=str(submission.outcome) if submission.outcome else None,
        rows_total=submission.rows_total,
        rows_accepted=submission.rows_accepted,
        rows_rejected=submission.rows_rejected,
        rows_created=submission.rows_created,
        rows_updated=submission.rows_updated,
        rows_unchanged=submission.rows_unchanged,
        part_counts=dict(submission.part_counts),
        seconds=round(monotonic() - started_s, 3),
    )
