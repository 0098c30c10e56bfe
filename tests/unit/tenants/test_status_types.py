"""Status types: what each kind may say, and that every mistake has its place and a remedy."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from partner_exchange.tenants.status_types import StatusKind, StatusType

OPEN = {"name": "Open", "colour": "green"}


def a_type(**over: Any) -> StatusType:
    return StatusType.model_validate({"id": 1, "name": "Beds", "kind": "number", **over})


def mistakes(**over: Any) -> list[tuple[str, str]]:
    """Return place and message of each mistake."""
    with pytest.raises(ValidationError) as caught:
        a_type(**over)
    return [(".".join(map(str, one["loc"])), one["msg"]) for one in caught.value.errors()]


def test_E15_a_number_takes_whole_numbers_from_zero_unless_it_says_otherwise() -> None:
    one = a_type()
    assert (one.decimals, one.minimum, one.maximum, one.is_settable) == (0, 0.0, None, True)
    assert a_type(minimum=None).minimum is None


def test_E14_the_header_holds_the_number_that_outlives_the_name() -> None:
    assert a_type(id=12001, name="ED Status").header == "ED Status (12001)"


@pytest.mark.parametrize(
    ("kind", "is_active", "expected"),
    [
        ("number", True, True),
        ("number", False, False),
        ("saturation_score", True, True),
        ("calculated", True, False),
    ],
)
def test_E15_calculated_and_inactive_types_cannot_be_set(kind: str, is_active: bool, expected: bool) -> None:
    formula = {} if kind == "number" else {"formula": "st(2,0)"}
    assert a_type(kind=kind, active=is_active, **formula).is_settable is expected


@pytest.mark.parametrize(
    ("over", "place", "words"),
    [
        ({"kind": "multi"}, "statuses", "a Multi type needs them"),
        ({"kind": "calculated"}, "formula", "a Calculated type needs one"),
        ({"statuses": [OPEN]}, "statuses", "kind number has no such option"),
        ({"formula": "st(2,0)"}, "formula", "kind number has no such option"),
        ({"kind": "text", "decimals": 1}, "decimals", "kind text has no such option"),
        ({"kind": "text", "minimum": None}, "minimum", "kind text has no such option"),
        ({"kind": "date", "max_characters": 9}, "max_characters", "kind date has no such option"),
        ({"kind": "nedocs", "formula": "st(2,0)"}, "formula", "kind nedocs has no such option"),
        ({"kind": "calculated", "formula": "st(2"}, "formula", "cannot be read from character"),
        ({"minimum": 5, "maximum": 4}, "maximum", "below the minimum"),
        (
            {"kind": "multi", "statuses": [OPEN, {"name": "OPEN "}]},
            "statuses.1.name",
            "another status of this type has that name",
        ),
        ({"id": 0}, "id", "greater than or equal to 1"),
        ({"id": 2**31}, "id", "less than or equal to 2147483647"),
        ({"name": "  "}, "name", "at least 1 character"),
        ({"name": "Beds\tfree"}, "name", "invisible character"),
        ({"former_names": ["a\nb"]}, "former_names.0", "invisible character"),
        ({"maximum": float("inf")}, "maximum", "finite"),
        ({"update_every_h": 0}, "update_every_h", "greater than 0"),
        ({"decimals": 7}, "decimals", "less than or equal to 6"),
    ],
)
def test_E15_what_does_not_fit_the_kind_is_named_at_its_option(
    over: dict[str, Any], place: str, words: str
) -> None:
    ((found, message),) = mistakes(**over)
    assert found == place
    assert words in message


def test_E15_all_mistakes_of_a_type_are_told_at_once() -> None:
    places = [place for place, _ in mistakes(kind="text", decimals=2, formula="st(", maximum=-1, minimum=0)]
    assert places == ["decimals", "maximum", "formula", "maximum", "formula"]


def test_E15_the_comment_rule_of_a_multi_type_goes_for_statuses_that_say_none() -> None:
    statuses = [OPEN, {"name": "Divert", "comment": "mandatory"}]
    one = a_type(kind="multi", comment="unavailable", statuses=statuses)
    assert [status.comment for status in one.statuses] == ["unavailable", "mandatory"]
    assert [status.comment for status in a_type(kind="multi", statuses=statuses).statuses] == [
        "optional",
        "mandatory",
    ]


@pytest.mark.parametrize("kind", StatusKind)
def test_P4_a_dumped_type_is_read_back_the_same(kind: StatusKind) -> None:
    needed: dict[StatusKind, dict[str, Any]] = {
        StatusKind.MULTI: {"statuses": [OPEN]},
        StatusKind.CALCULATED: {"formula": "st(2,0)"},
    }
    one = a_type(kind=kind, **needed.get(kind, {}))
    assert StatusType.model_validate_json(one.model_dump_json()) == one
