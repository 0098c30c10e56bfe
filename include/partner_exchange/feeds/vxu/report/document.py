"""What a data quality report says, as one tree of plain values: every rendering is made from it alone (T58).

It holds counts, codes of our own vocabularies and words of the product, never a value that could tell who a
patient is (T60). Times are texts, so that the tree and its JSON form are the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

FORMAT = 1
"""Number of the form; raised when a reader of the JSON would have to change."""


@dataclass(frozen=True)
class Instant:
    """One point in time, written twice."""

    utc: str
    """Such as ``2026-11-21 07:47:12 UTC``."""
    local: str
    """The same in the tenant's zone, such as ``2026-11-21 01:47:12 CST``; "" where that is UTC."""


@dataclass(frozen=True)
class Head:
    """Which file the report is about."""

    file_name: str
    tenant_name: str
    import_code: str
    mode: str
    """``test`` or ``production``."""
    submission_id: str
    received: Instant
    checked: Instant | None
    size_bytes: int
    sha256: str
    batches_declared: int | None
    """What the trailers say; None where they say nothing."""
    batches_found: int | None
    messages_declared: int | None
    messages_found: int | None
    """None where the file was refused before it was read."""
    first_message_on: str
    """Earliest day of MSH-7 (yyyy-mm-dd, UTC), "" where no message tells one."""
    last_message_on: str
    rule_version: str
    code_sets_version: str


@dataclass(frozen=True)
class Verdict:
    """What became of the file, and who has to act."""

    outcome: str
    """``accepted``, ``accepted_with_findings`` or ``refused``."""
    sentence: str
    turn: str


@dataclass(frozen=True)
class Reason:
    """Why a file was refused as a whole."""

    code: str
    title: str
    text: str
    """What is wrong and what to do next."""


@dataclass(frozen=True)
class Counts:
    """What came and what became of it; ``doses`` is the sum of the seven outcomes of a dose."""

    messages: int
    messages_accepted: int
    messages_rejected: int
    messages_created: int
    messages_updated: int
    messages_unchanged: int
    duplicate_control_ids: int
    patients: int
    """Different patient identifiers in accepted messages."""
    doses: int
    doses_stored: int
    doses_held: int
    """Kept apart until the registry has consent (T62)."""
    doses_unchanged: int
    doses_deleted: int
    doses_refused: int
    """Refusals of the patient, which are kept as such."""
    doses_rejected: int
    doses_given: int
    doses_historical: int
    deletions: int
    """Accepted doses that ask for a deletion (RXA-21 D), whether there was something to delete or not."""
    errors: int
    warnings: int
    infos: int
    patients_held: int = 0
    """Different patients whose doses are held."""


@dataclass(frozen=True)
class FindingLine:
    """All findings of one code at one place with one severity."""

    code: str
    title: str
    text: str
    """What is wrong."""
    next_step: str
    place: str
    """Such as ``RXA-5`` or ``RXA``; "" for the whole file."""
    label: str
    """The place in words."""
    severity: str
    count: int
    messages: int | None
    """How many messages have one; None where that is not known."""
    share: float
    """Of the messages, or of the doses for a place in a dose; 0 to 1."""
    is_of_doses: bool
    points: float
    """What it costs of the 100 points of the report."""
    first_messages: str = ""
    """Numbers of the first messages with one, such as ``3, 17, 25, and 9 more``; "" for the whole file."""


@dataclass(frozen=True)
class Part:
    """One of the three parts of the score."""

    name: str
    """``completeness``, ``quality`` or ``timeliness``."""
    weight: float
    """Points the tenant's policy gives it."""
    worth: float
    """Points it is worth in this report: more than its weight when another part is not judged, 0 when it is
    that part.
    """
    percent: float | None
    """0 to 100; None: not judged."""
    points: float
    sentence: str


@dataclass(frozen=True)
class Score:
    """The score and how it came about."""

    total: float
    """0 to 100, with one decimal."""
    band: str
    """``A``, ``B``, ``C``, ``D`` or ``F``."""
    bands: tuple[float, ...]
    """Least scores of the bands A to D."""
    parts: tuple[Part, ...]
    rejection_points: float
    """What rejected messages and doses cost beside the findings that led to it."""


@dataclass(frozen=True)
class FieldLine:
    """How well one field is filled; ``expected`` messages or doses should have it."""

    label: str
    place: str
    level: str
    """``required``, ``expected``, ``recommended`` or ``optional``."""
    weight: float
    expected: int
    present: int
    missing: int
    invalid: int
    unrecognized: int
    deprecated: int
    good: float
    """Share of the expected ones that is there and right; 0 to 1."""
    points: float
    """What it costs of the 100 points of the report."""


@dataclass(frozen=True)
class Section:
    """The fields of one section."""

    name: str
    counted: str
    """What is expected to have the fields: ``messages`` or ``doses``."""
    scored: float
    potential: float
    fields: tuple[FieldLine, ...]


@dataclass(frozen=True)
class Cause:
    """One thing that costs points, and what to change."""

    kind: str
    """``finding``, ``field`` or ``timeliness``."""
    title: str
    code: str
    """Of the finding; "" for the other kinds."""
    severity: str
    place: str
    label: str
    affected: str
    """How much of the file it is about, in words."""
    share: float
    points: float
    next_step: str
    first_messages: str = ""
    """Of the finding; "" for the other kinds."""


@dataclass(frozen=True)
class CodeLine:
    """How often one known code was sent."""

    code: str
    label: str
    state: str
    """``valid``, ``deprecated``, ``ignored`` or ``invalid``."""
    count: int


@dataclass(frozen=True)
class CodeSetLines:
    """The codes of one set that were sent; ``unknown`` counts those that the set does not have."""

    name: str
    label: str
    count: int
    unknown: int
    lines: tuple[CodeLine, ...]


@dataclass(frozen=True)
class AgeBand:
    """One age band of the coverage table."""

    name: str
    label: str
    ages: str
    doses: int


@dataclass(frozen=True)
class CoverageCell:
    """What was reported of one vaccine group in one age band."""

    expectation: str
    """``expected``, ``possible``, ``unexpected`` or ``impossible``."""
    doses: int
    share: float
    """Of the doses of the band; 0 to 1."""
    verdict: str
    """In words; "" where there is nothing to say."""
    tone: str
    """``good``, ``plain``, ``note`` or ``bad``."""


@dataclass(frozen=True)
class CoverageLine:
    """One vaccine group; ``cells`` are in the order of the age bands."""

    group: str
    label: str
    cells: tuple[CoverageCell, ...]


@dataclass(frozen=True)
class Coverage:
    """Vaccine groups by age band."""

    bands: tuple[AgeBand, ...]
    lines: tuple[CoverageLine, ...]


@dataclass(frozen=True)
class LagBand:
    """How many doses were reported within how many days."""

    name: str
    days: str
    """Such as ``4 to 14 days``."""
    limit: str
    """The longest of them, such as ``14 days``; "" where there is none."""
    credit: int
    """Points of 100 that a dose gets."""
    doses: int
    share: float


@dataclass(frozen=True)
class Timeliness:
    """How soon doses given now were reported."""

    doses: int
    bands: tuple[LagBand, ...]
    median_days: float | None
    worst_days: int | None
    is_worst_capped: bool
    """Whether the worst is ``worst_days`` or more."""


@dataclass(frozen=True)
class TrendPoint:
    """The score of one file."""

    file_name: str
    received_on: str
    mode: str
    score: float


@dataclass(frozen=True)
class Trend:
    """Scores of the tenant's files, oldest first; the last one is this file's."""

    points: tuple[TrendPoint, ...]
    sentence: str


@dataclass(frozen=True)
class Check:
    """One condition of production."""

    label: str
    is_met: bool
    sentence: str


@dataclass(frozen=True)
class Readiness:
    """Whether a file like this one may be sent in production."""

    is_ready: bool
    sentence: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Document:
    """One data quality report; that of a refused file has a reason in place of everything that is counted."""

    format: int
    head: Head
    verdict: Verdict
    contact: str
    """Whom to ask, as lines; "" for nobody."""
    reason: Reason | None = None
    counts: Counts | None = None
    result: Score | None = None
    sections: tuple[Section, ...] = ()
    findings: tuple[FindingLine, ...] = ()
    causes: tuple[Cause, ...] = ()
    codes: tuple[CodeSetLines, ...] = ()
    coverage: Coverage | None = None
    timeliness: Timeliness | None = None
    trend: Trend | None = None
    readiness: Readiness | None = None

    @property
    def score(self) -> float | None:
        """Return the score, None where nothing could be judged."""
        return self.result.total if self.result is not None else None

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON takes it; ``of`` takes it back."""
        return {**asdict(self), "score": self.score}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Document:
        """Return the report that ``as_json`` returned, also when a database has kept it in between.

        :raises pydantic.ValidationError: it is something else.
        """
        return _adapter().validate_python({name: value for name, value in data.items() if name != "score"})


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Document]:
    return TypeAdapter(Document)
