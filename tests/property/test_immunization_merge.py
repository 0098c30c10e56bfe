"""The merge of immunizations against a plain model of it, with random files (T64, N07, X03)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from partner_exchange.ledger.database import engine
from partner_exchange.ledger.states import DOSE_OUTCOMES
from partner_exchange.stores import consents, immunizations
from partner_exchange.stores.consent_registry import RECORD_TEXTS
from partner_exchange.stores.immunizations import ImmunizationMerge
from partner_exchange.tenants.model import Tenant
from support.immunizations import AMessage, a_dose, a_message, a_registry_tenant, accepted

pytestmark = pytest.mark.service

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
OPEN, SHUT = a_registry_tenant(), a_registry_tenant(consent="required")

DoseState = tuple[str, str, bool]
"""Vaccine, lot, given: what a dose is in these tests."""
Store = dict[tuple[str, str], DoseState]


@dataclass(frozen=True)
class Line:
    """One dose of one patient in a file."""

    patient: str
    key: str
    action: str
    cvx: str
    lot: str
    given: bool

    @property
    def state(self) -> DoseState:
        return self.cvx, self.lot, self.given


# Few different values, so that the same doses meet again and again.
_line = st.builds(
    Line,
    patient=st.sampled_from("ab"),
    key=st.sampled_from(["K1", "K2", "K3"]),
    action=st.sampled_from("AAUD"),
    cvx=st.sampled_from(["03", "20"]),
    lot=st.sampled_from(["L1", "L2"]),
    given=st.booleans(),
)
_file = st.lists(_line, max_size=8)
_some = settings(max_examples=30, deadline=None)
_few = settings(max_examples=12, deadline=None)


def messages_of(file: list[Line]) -> list[AMessage]:
    """Return one message per line."""
    return [
        a_message(
            line.patient,
            doses=[a_dose(line.key, line.action, cvx=line.cvx, lot=line.lot, given=line.given)],
        )
        for line in file
    ]


@dataclass
class Registry:
    """One tenant in a transaction that is rolled back after each example."""

    connection: Connection
    tenant: Tenant = OPEN

    def merge(self, *sent: AMessage) -> ImmunizationMerge:
        frames = accepted(*sent)
        result = immunizations.merge(self.connection, frames, tenant=self.tenant, submission_id="s", now=AT)
        counts = result.messages[[f"doses_{name}" for name in DOSE_OUTCOMES]].to_numpy().sum()
        assert counts == len(result.doses) == len(frames.doses)
        assert result.messages["row"].tolist() == list(range(1, len(sent) + 1))
        return result

    def store(self, table: str = "dose") -> Store:
        lot = "lot" if table == "dose" else "payload->'dose'->>'lot'"
        query = text(f"select patient_key, dose_key, cvx, {lot}, is_given from store.{table}")
        return {
            (patient.removeprefix("CLINIC|"), key): (cvx, lot, given)
            for patient, key, cvx, lot, given in self.connection.execute(query)
        }

    def kinds(self, table: str) -> dict[str, bool]:
        """Return for each key of a table whether it is a dose, not a refusal."""
        columns = {"dose": "true", "refusal": "false", "held_dose": "not is_refusal"}
        query = text(f"select dose_key, {columns[table]} as is_dose from store.{table}")
        return {row.dose_key: row.is_dose for row in self.connection.execute(query)}

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Return all that the store says of patients and doses, without when and from which file."""
        queries = {
            "patient": "patient_key, last_name, city, reported_at",
            "patient_identifier": "identifier, patient_key",
            "dose": "patient_key, dose_key, fingerprint",
            "observation": "patient_key, dose_key, ordinal, value",
        }
        return {
            name: [
                tuple(row)
                for row in self.connection.execute(text(f"select {columns} from store.{name} order by 1, 2"))
            ]
            for name, columns in queries.items()
        }

    def consent(self, identifier: str, status: str, day: int) -> None:
        blank = dict.fromkeys(RECORD_TEXTS, "")
        told = {"authority": "CLINIC", "identifier": identifier, "type": "CHILD", "status": status}
        records = pd.DataFrame([{**blank, **told, "consented_on": f"2026-01-{day:02}"}]).astype("str")
        consents.record(self.connection, records, tenant_code=self.tenant.code, source="s", actor="a", now=AT)
        consents.release(self.connection, self.tenant, now=AT)


@contextmanager
def a_registry(url: str, tenant: Tenant = OPEN) -> Iterator[Registry]:
    with engine(url).connect() as connection, connection.begin() as work:
        yield Registry(connection, tenant)
        work.rollback()


def model(store: Store, file: list[Line]) -> tuple[Store, list[str], list[str]]:
    """Return the store after the file with outcomes and codes of the lines, in the plainest words."""
    outcomes, codes = ["unchanged"] * len(file), [""] * len(file)
    after = dict(store)
    fresh: list[int] = []
    for at, line in enumerate(file):
        place = (line.patient, line.key)
        same = [other for other in file if (other.patient, other.key) == place]
        later = [other for other in file[at + 1 :] if (other.patient, other.key) == place]
        earlier = [other for other in file[:at] if (other.patient, other.key) == place]
        if later:
            last, is_gone = same[-1], line.action == "D"
            if is_gone != (last.action == "D") or (not is_gone and line.state != last.state):
                codes[at] = "dose-superseded"
            continue
        was_told = any(other.action != "D" for other in earlier)
        if line.action == "D":
            if place in store:
                outcomes[at] = "deleted"
                del after[place]
            elif not was_told:
                codes[at] = "delete-of-unknown-dose"
        elif place in store:
            outcomes[at] = "unchanged" if store[place] == line.state else "stored"
            after[place] = line.state
        else:
            fresh.append(at)
            if line.action == "U" and not was_told:
                codes[at] = "update-of-unknown-dose"
        if line.action == "A" and outcomes[at] == "stored" or at in fresh and line.action == "A":
            told = [other.cvx for other in same if other.action != "D"]
            before = [store[place][0]] if place in store else []
            if {*told, *before} != {line.cvx}:
                codes[at] = "dose-replaced"
    lines = {(line.patient, line.key): at for at, line in enumerate(file)}
    # Who was given before who was only heard of, and each in the order of the file.
    for at in sorted(fresh, key=lambda one: not file[one].given):
        line = file[at]
        twins = [
            place for place, (cvx, _, _) in after.items() if place[0] == line.patient and cvx == line.cvx
        ]
        learnt = [place for place in twins if not after[place][2]]
        if not twins or line.given and learnt == twins:
            outcomes[at] = "stored"
            after[line.patient, line.key] = line.state
            if learnt:
                codes[at] = codes[at].replace("update-of-unknown-dose", "")
            for place in learnt[:1]:
                del after[place]
                if place in lines:
                    outcomes[lines[place]], codes[lines[place]] = "unchanged", "dose-already-reported"
        else:
            codes[at] = "dose-already-reported"
    return after, outcomes, codes


@_some
@given(files=st.lists(_file, min_size=1, max_size=3))
def test_T64_the_merge_does_what_its_plain_model_does(
    module_database_url: str, files: list[list[Line]]
) -> None:
    with a_registry(module_database_url) as registry:
        store: Store = {}
        for file in files:
            store, outcomes, codes = model(store, file)
            found = registry.merge(*messages_of(file)).doses
            assert (found["outcome"].tolist(), found["code"].tolist()) == (outcomes, codes)
            assert registry.store() == store


@_some
@given(files=st.lists(_file, min_size=1, max_size=3))
def test_T62_held_doses_follow_the_same_model(module_database_url: str, files: list[list[Line]]) -> None:
    with a_registry(module_database_url, SHUT) as registry:
        store: Store = {}
        for file in files:
            store, outcomes, codes = model(store, file)
            found = registry.merge(*messages_of(file)).doses
            held = ["held" if one == "stored" else one for one in outcomes]
            assert (found["outcome"].tolist(), found["code"].tolist()) == (held, codes)
            assert registry.store("held_dose") == store
        assert registry.store() == {}


@_few
@given(
    files=st.lists(_file, min_size=1, max_size=3),
    answers=st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=4),
)
def test_T62_a_patient_is_in_the_store_exactly_with_consent(
    module_database_url: str, files: list[list[Line]], answers: list[tuple[str, bool]]
) -> None:
    """Consents between files never lose a dose and never let one in."""
    with a_registry(module_database_url, SHUT) as registry:
        store: Store = {}
        consented: set[str] = set()
        for step in range(max(len(files), len(answers))):
            if step < len(files):
                store = model(store, files[step])[0]
                registry.merge(*messages_of(files[step]))
            if step < len(answers):
                patient, is_yes = answers[step]
                registry.consent(patient, "YES" if is_yes else "WITHDRAWN", step + 1)
                (consented.add if is_yes else consented.discard)(patient)
            assert registry.store() == {key: one for key, one in store.items() if key[0] in consented}
            assert registry.store("held_dose") == {
                key: one for key, one in store.items() if key[0] not in consented
            }


_who = st.lists(st.sampled_from(["1", "2", "3", "4"]), min_size=1, max_size=2, unique=True)
_told = st.lists(
    st.tuples(_who, st.integers(1, 4), st.sampled_from(["", "Austin", "Waco"])), min_size=1, max_size=5
)


@_few
@given(file=_file, told=_told)
def test_X03_the_same_file_again_changes_nothing(
    module_database_url: str, file: list[Line], told: list[tuple[list[str], int, str]]
) -> None:
    others = [
        a_message(*ids, at=f"2026-11-{day:02}T10:00:00Z", city=city, doses=[a_dose(f"N{n}")])
        for n, (ids, day, city) in enumerate(told)
    ]
    sent = [*messages_of(file), *others]
    with a_registry(module_database_url) as registry:
        registry.merge(*sent)
        before = registry.everything()
        again = registry.merge(*sent)
        assert set(again.doses["outcome"]) == {"unchanged"}
        assert set(again.messages["outcome"]) == {"unchanged"}
        assert registry.everything() == before


_timed = st.lists(
    st.builds(
        Line,
        patient=st.just("a"),
        key=st.sampled_from(["K1", "K2"]),
        action=st.sampled_from("AUD"),
        cvx=st.just("03"),
        lot=st.sampled_from(["L1", "L2", "L3"]),
        given=st.booleans(),
    ),
    min_size=2,
    max_size=6,
)


@pytest.mark.parametrize("tenant", [OPEN, SHUT], ids=["stored", "held"])
@_few
@given(lines=_timed, data=st.data())
def test_T64_files_of_different_times_may_come_in_any_order(
    module_database_url: str, tenant: Tenant, lines: list[Line], data: st.DataObject
) -> None:
    """Of each dose counts what the newest message says, also when that is its end."""
    places = ("dose", "refusal") if tenant is OPEN else ("held_dose",)
    sent = [
        a_message(
            line.patient,
            at=f"2026-11-{day:02}T10:00:00Z",
            doses=[
                a_dose(
                    line.key,
                    line.action,
                    lot=line.lot,
                    given=line.given,
                    completion="CP" if line.given else "RE",
                    administered_on=f"2026-10-0{line.key[1]}",
                )
            ],
        )
        for day, line in enumerate(lines, start=1)
    ]
    newest = {line.key: line for line in lines}
    expected = {key: line.given for key, line in newest.items() if line.action != "D"}
    order = data.draw(st.permutations(sent))
    for files in ([[one] for one in order], [order[:2], order[2:], order[:1]]):
        with a_registry(module_database_url, tenant) as registry:
            for file in files:
                registry.merge(*file)
            found = {key: given for place in places for key, given in registry.kinds(place).items()}
            assert found == expected
            if tenant is OPEN:
                lots = {key[1]: lot for key, (_, lot, _) in registry.store().items()}
                assert lots == {key: line.lot for key, line in newest.items() if expected.get(key)}


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_N07_files_with_different_doses_may_come_in_any_order(
    module_database_url: str, data: st.DataObject
) -> None:
    days = data.draw(st.permutations(range(1, 4)))
    sent = [
        a_message(
            "1",
            at=f"2026-11-{day:02}T10:00:00Z",
            city=f"City {day}",
            last_name=f"Name {day}",
            doses=[a_dose(f"K{day}", administered_on=f"2026-10-{day:02}")],
        )
        for day in days
    ]
    ends = []
    for order in (sent, sent[::-1]):
        with a_registry(module_database_url) as registry:
            for one in order:
                registry.merge(one)
            ends.append(registry.everything())
    assert ends[0] == ends[1]
