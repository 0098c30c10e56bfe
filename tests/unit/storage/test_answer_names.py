"""Which names are answers, and which stay submissions (X11)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.storage.answer_names import (
    NamedAnswer,
    answer_places,
    answered_targets,
    inbox_answers,
    is_answer,
)
from partner_exchange.tenants.model import Tenant
from support.builders import a_tenant
from support.nhsn import a_hospital_group


def exporting(answers: dict[str, Any] | None = None, **export: Any) -> Tenant:
    """Return a tenant with one export, ``list``, that is answered."""
    target = {**export.pop("target", {}), "answers": answers if answers is not None else {}}
    return a_tenant(exports={"list": {"report": "roster", "target": target, **export}})


def is_taken(tenant: Tenant, name: str) -> bool:
    return is_answer(name, inbox_answers(tenant))


def test_X11_a_tenant_without_answers_has_no_names_of_answers() -> None:
    assert inbox_answers(a_tenant()) == ()
    assert inbox_answers(a_tenant(exports={"list": {"report": "roster"}})) == ()
    assert not is_answer("x.csv.ack", ())


@pytest.mark.parametrize("name", ["list.csv.ack", "never-sent.ack", "LIST.CSV.NACK", "a\nb.ack"])
def test_X11_any_name_with_the_ending_of_answers_is_one(name: str) -> None:
    assert is_taken(exporting(), name)


@pytest.mark.parametrize("name", ["roster.csv", ".ack", "ack", "x.ack.csv", "x.ack2"])
def test_X11_all_else_stays_a_submission(name: str) -> None:
    assert not is_taken(exporting(), name)


@pytest.mark.parametrize("pattern", ["ok-{file_name}", "{file_name}.csv", "{file_name}-ok.XLSX"])
def test_X11_answers_that_look_like_drops_never_swallow_what_a_partner_sends(pattern: str) -> None:
    tenant = exporting({"accepted": pattern}, file_name="{tenant}-list-{utc}.{ending}")
    sent = "state-university-list-20261120T120000Z.csv"
    again = "state-university-list-20261120T120000Z-2.csv"
    for name in (sent, again):
        assert is_taken(tenant, pattern.format(file_name=name))
    for name in ("roster.csv", "ok-roster.csv", "roster.csv.csv", "roster.csv-ok.xlsx", "list.csv"):
        assert not is_taken(tenant, name)


@pytest.mark.parametrize(
    ("file_name", "sent"),
    [
        ("list.csv", ["list.csv", "list-2.csv", "list-17.csv"]),
        ("list", ["list", "list-2"]),
        ("{export}.{date}{time}.{number}.{ending}", ["list.20261120120000.7.csv"]),
        (
            "{tenant}_{report}(1).{ending}",
            ["state-university_roster(1).csv", "state-university_roster(1)-2.csv"],
        ),
    ],
)
def test_X11_names_of_delivered_files_are_known_with_their_numbers(file_name: str, sent: list[str]) -> None:
    tenant = exporting({"accepted": "ok-{file_name}"}, file_name=file_name)
    assert all(is_taken(tenant, f"ok-{name}") for name in sent)
    assert not is_taken(tenant, "ok-other.csv")


def test_X11_a_pattern_may_name_the_file_twice() -> None:
    (place,) = answer_places(exporting({"accepted": "{file_name}+x+{file_name}.ok"}))
    assert place.parse("a.csv+x+a.csv.ok") == [NamedAnswer("list", True, "a.csv")]
    assert place.parse("a.csv+x+b.csv.ok") == []


def test_X11_one_name_may_fit_two_patterns() -> None:
    (place,) = answer_places(exporting({"accepted": "{file_name}.ok", "refused": "{file_name}.not.ok"}))
    assert place.parse("a.csv.not.ok") == [
        NamedAnswer("list", True, "a.csv.not"),
        NamedAnswer("list", False, "a.csv"),
    ]


@pytest.mark.parametrize("name", [".x.ack", "x.ack.part", "~$x.ack", "x.20261121T074712Z.completed"])
def test_X11_names_of_uploads_and_of_ours_are_no_answers(name: str) -> None:
    (place,) = answer_places(exporting({"accepted": "{file_name}.part", "refused": "{file_name}.ack"}))
    assert place.parse(name) == []


def test_X11_only_answers_in_the_inbox_are_kept_from_the_claim() -> None:
    tenant = exporting({"folder": "answers"})
    assert inbox_answers(tenant) == ()
    assert [place.place for place in answer_places(tenant)] == ["answers"]
    server = exporting(target={"kind": "server", "connection": "north", "folder": "/in"})
    (place,) = answer_places(server)
    assert (place.place, place.is_home, place.settle_s, place.target.folder) == (
        "north:/in",
        False,
        2.0,
        "/in",
    )
    assert inbox_answers(server) == ()


def test_X11_an_inbox_on_the_partners_own_server_is_an_inbox_too() -> None:
    tenant = exporting(
        {"folder": "/partner/drops/"},
        target={"kind": "server", "connection": "north", "folder": "/partner/in"},
    )
    inbox = {"connection": "north", "root": "/partner", "folder": "drops"}
    own = tenant.model_copy(update={"inbox": a_tenant(inbox=inbox).inbox})
    assert (is_taken(own, "x.csv.ack"), is_taken(tenant, "x.csv.ack")) == (True, False)


def test_X01_a_home_on_another_server_is_looked_at_twice() -> None:
    tenant = exporting()
    elsewhere = tenant.model_copy(
        update={"inbox": a_tenant(inbox={"connection": "north", "root": "/p"}).inbox}
    )
    assert [place.settle_s for one in (tenant, elsewhere) for place in answer_places(one)] == [0.0, 2.0]


def test_X11_exports_of_one_folder_share_it() -> None:
    one = {"report": "roster", "target": {"answers": {}}}
    tenant = a_tenant(exports={"a": one, "b": one, "c": {"report": "roster"}})
    (place,) = answer_places(tenant)
    assert place.exports == {"a", "b"}
    assert place.parse("x.csv.ack") == [NamedAnswer("a", True, "x.csv"), NamedAnswer("b", True, "x.csv")]


def test_E39_sets_for_nhsn_are_answered_where_their_target_says() -> None:
    target = {"kind": "server", "connection": "nhsn", "folder": "/in", "answers": {"folder": "/out"}}
    tenant = a_hospital_group(status={"nhsn_target": target})
    assert list(answered_targets(tenant)) == ["nhsn_daily", "nhsn_weekly"]
    assert [place.place for place in answer_places(tenant)] == ["nhsn:/out"]
    assert answered_targets(a_hospital_group()) == {}


@given(st.text(max_size=60), st.sampled_from(["{export}-{utc}.{ending}", "a.{ending}", "x", "{number}"]))
def test_X11_every_pattern_is_a_regular_expression_that_takes_its_own_answers(
    text: str, file_name: str
) -> None:
    text = re.sub(r"[{}/]", "", text)
    tenant = exporting(
        {"accepted": f"{text}+{{file_name}}", "refused": f"{{file_name}}{text}-"}, file_name=file_name
    )
    at = datetime(2026, 11, 20, tzinfo=UTC)
    sent = (
        file_name.replace("{export}", "list")
        .replace("{utc}", f"{at:%Y%m%dT%H%M%SZ}")
        .replace("{ending}", "csv")
        .replace("{number}", "3")
    )
    assert is_taken(tenant, f"{text}+{sent}")
    assert is_taken(tenant, f"{sent}{text}-")
