"""Which resources go into a set, and why the others do not (E38, E39).

Called by the builder of sets. What a hospital did not report is never our failure: it is a state with a
reason and a sentence that says what to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from partner_exchange.exports.nhsn.schedule import DueTime
from partner_exchange.exports.nhsn.values import UNKNOWN, HrdValues, hrd_template, read_values
from partner_exchange.feeds.status.rules import judge_rules
from partner_exchange.feeds.status.template import Template
from partner_exchange.ledger.nhsn import NhsnOutcome, NhsnState
from partner_exchange.stores import statuses
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.resources import Resource
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import Severity
from partner_exchange.validation.wording import severity_of

STARRED = tuple(range(55001, 55017))
"""Status types with the "required" star on both forms: twelve of capacity and occupancy, four of COVID-19."""

_SENTENCES_KEPT = 10


class Reason(StrEnum):
    """Why a resource is in another state than Ready; docs/nhsn.md explains each."""

    TEST_MODE = "test-mode"
    ORG_ID_MISSING = "org-id-missing"
    NO_DATA = "no-data"
    UNCHANGED = "unchanged"
    REQUIRED_NEVER_REPORTED = "required-never-reported"
    VALUES_CONTRADICT = "values-contradict"
    REQUIRED_MISSING = "required-missing"
    VALUES_DOUBTFUL = "values-doubtful"
    NHSN_ERROR = "nhsn-error"
    NHSN_NOT_SUBMITTED = "nhsn-not-submitted"
    NHSN_WARNING = "nhsn-warning"


@dataclass(frozen=True)
class SetRow:
    """One row of the set."""

    org_id: str
    context: str
    values: tuple[str, ...]
    """In the order of the template's elements."""


@dataclass(frozen=True)
class Selection:
    """What becomes of each resource of a tenant at a due time."""

    template: Template
    outcomes: tuple[NhsnOutcome, ...]
    """One per resource, in the tenant's order."""
    rows: tuple[SetRow, ...]
    """The rows of those that go, by Org ID and context."""


def select(connection: Connection, tenant: Tenant, due: DueTime) -> Selection:
    """Return what becomes of every resource that reports at this frequency.

    :raises StoreUnavailable: the database cannot be reached.
    :raises SuiteBroken: a rule could not be applied; nothing is decided then.
    """
    resources = {recorded_id(tenant, one): one for one in reporting(tenant, due)}
    decided = {
        resource_id: outcome
        for resource_id, resource in resources.items()
        if (outcome := _by_policy(tenant, resource_id, resource)) is not None
    }
    asked = [one for one in resources if one not in decided]
    template = hrd_template(due.reports_on)
    values = read_values(connection, tenant, due, asked)
    decided |= _by_what_is_known(connection, tenant, due, template, values)
    judged = _judge(template, values.of([one for one in asked if one not in decided]), due)
    decided |= judged.outcomes
    return Selection(
        template,
        tuple(decided[one] for one in resources),
        tuple(sorted(_rows(tenant, resources, judged), key=lambda row: (row.org_id, row.context))),
    )


def reporting(tenant: Tenant, due: DueTime) -> list[Resource]:
    """Return the tenant's resources whose data is forwarded at the frequency of the due time."""
    return [one for one in tenant.status.resources if one.nhsn and one.nhsn.frequency == due.frequency]


def recorded_id(tenant: Tenant, resource: Resource) -> str:
    """Return the Resource ID under which outcomes are kept: that of the tenant's mode where there is one."""
    return resource.id_in(tenant.mode) or resource.production_id


def _by_policy(tenant: Tenant, resource_id: str, resource: Resource) -> NhsnOutcome | None:
    if tenant.mode == "test":
        return _stays_here(
            resource_id,
            Reason.TEST_MODE,
            "The partner is in test mode, so nothing goes to NHSN; it will once that has changed.",
        )
    if not resource.org_id_in(tenant.mode):
        return _stays_here(
            resource_id,
            Reason.ORG_ID_MISSING,
            "No NHSN Org ID is set for this resource. Tell us the five digits that NHSN knows it by.",
        )
    return None


def _by_what_is_known(
    connection: Connection, tenant: Tenant, due: DueTime, template: Template, values: HrdValues
) -> dict[str, NhsnOutcome]:
    """Return the outcome of each resource that has nothing, or nothing new, to send."""
    asked = list(values.text.index)
    changed = statuses.changed_between(
        connection,
        tenant.code,
        asked,
        sorted(template.element_ids),
        since=due.changed_since,
        until=due.at,
    )
    filled = (values.text != UNKNOWN).sum(axis=1)
    found = {}
    for resource_id in asked:
        if filled[resource_id] == len(values.bridged.get(resource_id, ())):
            sentence = (
                "No HRD value was reported that could go: none ever, or only new admissions of another "
                f"{'day' if due.frequency == 'daily' else 'week'}. Send the HRD template or a bulk file."
            )
            found[resource_id] = _stays_here(resource_id, Reason.NO_DATA, sentence)
        elif resource_id not in changed:
            window = "24 hours" if due.frequency == "daily" else "nine days"
            sentence = (
                f"No HRD value changed in the {window} before the due time, so there is nothing to send."
            )
            found[resource_id] = _stays_here(resource_id, Reason.UNCHANGED, sentence)
    return found


def _stays_here(resource_id: str, reason: Reason, sentence: str) -> NhsnOutcome:
    return NhsnOutcome(resource_id, NhsnState.NOT_SUBMITTED, reason, sentence)


@dataclass(frozen=True)
class _Judged:
    """Resources with something new to send: what the rules say of them, and the values that go."""

    outcomes: dict[str, NhsnOutcome]
    values: HrdValues


@dataclass
class _Broken:
    """Sentences about the rules that one resource breaks."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def _judge(template: Template, values: HrdValues, due: DueTime) -> _Judged:
    header = {element.status_type_id: element.header for element in template.elements}
    broken = _broken_rules(template, values.numbers, header)
    spoiled = [one for one in values.bridged if broken[one].errors]
    if spoiled:
        # What we put in must not make a hospital's own values contradict each other.
        values = values.without_bridge(spoiled)
        broken = _broken_rules(template, values.numbers, header)
    is_missing = (values.text[list(STARRED)] == UNKNOWN).to_numpy()
    outcomes = {}
    for resource_id, flags in zip(values.text.index, is_missing, strict=True):
        missing = [header[STARRED[at]] for at in np.flatnonzero(flags)]
        stand_ins = [header[one] for one in values.bridged.get(resource_id, ())]
        outcome = _outcome(resource_id, broken[resource_id], missing, due)
        outcomes[resource_id] = _with_origin(outcome, stand_ins) if stand_ins else outcome
    return _Judged(outcomes, values)


def _broken_rules(template: Template, numbers: pd.DataFrame, header: Mapping[int, str]) -> dict[str, _Broken]:
    found: dict[str, _Broken] = defaultdict(_Broken)
    if numbers.empty:
        return found
    rows = np.arange(len(numbers), dtype=np.int64)
    verdict = judge_rules(template, numbers.reset_index(drop=True), rows=rows, titles=header)
    for mark in verdict.marks:
        # Not the sentence of the catalogue: it says what was taken of a file's row, and there is none here.
        sentence = f"{CATALOGUE[mark.code].title}: {mark.facts['left']} against {mark.facts['right']}."
        is_error = severity_of(mark) is Severity.ERROR
        for resource_id in numbers.index[mark.rows]:
            broken = found[resource_id]
            (broken.errors if is_error else broken.warnings).append(sentence)
    return found


def _outcome(resource_id: str, broken: _Broken, missing: Sequence[str], due: DueTime) -> NhsnOutcome:
    absent = f"Required and never reported: {', '.join(missing)}."
    if broken.errors:
        state, reason = NhsnState.ERROR, Reason.VALUES_CONTRADICT
        sentences = [*_first(broken.errors), "Correct whichever value is wrong; the set after that takes it."]
    elif missing and due.requires_capacity:
        state, reason = NhsnState.ERROR, Reason.REQUIRED_NEVER_REPORTED
        sentences = [absent, "Report each once, with 9999 where it does not apply; then it stays known."]
    elif missing:
        state, reason = NhsnState.WARNING, Reason.REQUIRED_MISSING
        sentences = [absent, "They will be required on Wednesday.", *_first(broken.warnings)]
    elif broken.warnings:
        state, reason = NhsnState.WARNING, Reason.VALUES_DOUBTFUL
        sentences = _first(broken.warnings)
    else:
        return NhsnOutcome(resource_id, NhsnState.READY)
    return NhsnOutcome(resource_id, state, reason, " ".join(sentences))


def _with_origin(outcome: NhsnOutcome, stand_ins: Sequence[str]) -> NhsnOutcome:
    origin = f"Taken from bed capacity: {', '.join(stand_ins)}."
    return replace(outcome, comment=f"{outcome.comment} {origin}".strip())


def _first(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - _SENTENCES_KEPT
    return [*sentences[:_SENTENCES_KEPT], *([f"And {more} more."] if more > 0 else [])]


def _rows(tenant: Tenant, resources: Mapping[str, Resource], judged: _Judged) -> Iterator[SetRow]:
    text = judged.values.text
    for resource_id, values in zip(text.index, text.to_numpy().tolist(), strict=True):
        resource = resources[resource_id]
        if judged.outcomes[resource_id].state is not NhsnState.ERROR and resource.nhsn:
            yield SetRow(resource.org_id_in(tenant.mode), resource.nhsn.context, tuple(values))
