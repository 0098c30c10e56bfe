"""The conditions of rules: when a field is required, what is wrong by itself, what a dose is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from partner_exchange.feeds.vxu import observations
from partner_exchange.feeds.vxu.cells import Flags, flags_of
from partner_exchange.feeds.vxu.code_sets import State, VaccineKind, codes
from partner_exchange.feeds.vxu.duplicates import keys_of
from partner_exchange.feeds.vxu.piece import Piece, all_flags, any_flags, any_of
from partner_exchange.feeds.vxu.vaccines import NO_VACCINE

_NO_VACCINE = frozenset({NO_VACCINE})
UNKNOWN_AMOUNT = "999"
"""RXA-6 of who does not know the amount."""
PLACEHOLDER = "9999"
"""Written in ORC-3 by senders who have no number for a dose; it is no key of anything."""
_CONTROL_ID_SIGNS = 199
_QUERIES = ("QBP", "QCK", "QCN", "QRY", "QSB", "QSX", "QVR", "EQQ", "RQQ", "SPQ", "VQQ", "VXQ")
_TEMPORARY_NAME = (
    r"(?i)\A(?:test(?:ing)?|test[ _-]?patient|zz[a-z]*test[a-z]*|dummy|junk|no[ -]?name|unknown|x{3,}"
    r"|baby|boy|girl|baby ?(?:boy|girl)(?: ?[a-z0-9])?|(?:boy|girl) [a-z0-9]"
    r"|new ?born|nb|infant|twin ?[a-z0-9]?)\z"
)


def when(piece: Piece, name: str) -> Flags:
    """Return the lines that meet a condition, of the table that its rules are about."""
    return piece.condition(name, CONDITIONS[name])


def _is(piece: Piece, column: str, *values: str) -> Flags:
    return piece.table(column).of(column, *values)


def _is_sent(piece: Piece, column: str) -> Flags:
    return piece.table(column).is_filled(column)


def _is_query(piece: Piece) -> Flags:
    return _is(piece, "MSH-9.1", *_QUERIES)


def _is_vxu(piece: Piece) -> Flags:
    return _is(piece, "MSH-9.1", "VXU")


def _is_other_type(piece: Piece) -> Flags:
    return ~_is_vxu(piece) & ~_is_query(piece)


def _is_other_event(piece: Piece) -> Flags:
    return _is_vxu(piece) & ~_is(piece, "MSH-9.2", "V04")


def _is_other_version(piece: Piece) -> Flags:
    return _is_vxu(piece) & ~_is(piece, "MSH-12", "2.5.1")


def _is_other_processing(piece: Piece) -> Flags:
    return _is_vxu(piece) & ~_is(piece, "MSH-11", "P", "D", "T", "")


def _is_test_in_production(piece: Piece) -> Flags:
    is_production = piece.context.tenant.mode == "production"
    return _is_vxu(piece) & _is(piece, "MSH-11", "D", "T") & is_production


def _is_other_structure(piece: Piece) -> Flags:
    return ~_is(piece, "MSH-9.3", "VXU_V04")


def _is_without_zone(piece: Piece) -> Flags:
    stamps = piece.stamps("MSH-7")
    is_without = np.isnan(stamps.ahead_s) & ~np.isnan(stamps.day)
    return piece.tables["messages"].coded("MSH-7").spread(is_without)


def _is_zone_unusual(piece: Piece) -> Flags:
    return piece.tables["messages"].coded("MSH-7").spread(piece.stamps("MSH-7").is_zone_unusual)


def _is_control_id_too_long(piece: Piece) -> Flags:
    ids = piece.tables["messages"].coded("MSH-10")
    return ids.spread(flags_of(pc.greater(pc.utf8_length(ids.values), _CONTROL_ID_SIGNS)))


def _is_without_patient(piece: Piece) -> Flags:
    return ~piece.is_judged("PID-1")


def _is_identifier(piece: Piece) -> Flags:
    return _is_sent(piece, "PID-3.1")


def _is_last_identifier(piece: Piece) -> Flags:
    """Tell the first identifier of each patient who has none of a usable type: without it nobody could tell
    who it is.
    """
    is_identifier = _is_identifier(piece)
    of = piece.tables["identifiers"].message
    is_usable = is_identifier & _is(piece, "PID-3.5", *_usable_identifier_types())
    lines = np.flatnonzero(is_identifier & ~any_of(of[is_usable], len(piece.rows))[of])
    return any_of(lines[np.unique(of[lines], return_index=True)[1]], len(of))


def _is_other_identifier(piece: Piece) -> Flags:
    return _is_identifier(piece) & ~when(piece, "is_last_identifier")


@lru_cache
def _usable_identifier_types() -> tuple[str, ...]:
    types = codes("identifier-type").values()
    return tuple(one.code for one in types if one.state is not State.INVALID)


def _is_unidentified(piece: Piece) -> Flags:
    kept = piece.kept["identifiers"]
    return ~any_of(piece.tables["identifiers"].message[kept], len(piece.rows))


def _is_nameless(piece: Piece) -> Flags:
    return ~_is_sent(piece, "PID-5.1") & ~_is_sent(piece, "PID-5.2")


def _is_family_name_missing(piece: Piece) -> Flags:
    return ~_is_sent(piece, "PID-5.1") & _is_sent(piece, "PID-5.2")


def _is_given_name_missing(piece: Piece) -> Flags:
    return _is_sent(piece, "PID-5.1") & ~_is_sent(piece, "PID-5.2")


def _is_name_not_legal(piece: Piece) -> Flags:
    return piece.is_left("PID-5.7") & ~_is(piece, "PID-5.7", "L")


def _is_name_temporary(piece: Piece) -> Flags:
    names = [piece.patients.coded(column) for column in ("PID-5.1", "PID-5.2")]
    return any_flags(
        name.spread(flags_of(pc.match_substring_regex(name.values, _TEMPORARY_NAME))) for name in names
    )


def _is_relative_nameless(piece: Piece) -> Flags:
    return ~_is_sent(piece, "NK1-2.1") & ~_is_sent(piece, "NK1-2.2")


def _is_order_shared(piece: Piece) -> Flags:
    """Tell doses to be added whose order number another vaccine or day of the message has too."""
    doses = piece.doses
    numbers = [doses.coded(column).text for column in ("ORC-3", "ORC-3.2")]
    of = keys_of(pd.Series(doses.message), *numbers)
    dose = keys_of(piece.vaccines.text("cvx"), piece.doses.coded("RXA-3").text)
    is_asked = when(piece, "is_added") & _is(piece, "RXA-21", "A") & piece.is_left("ORC-3")
    is_asked &= ~_is(piece, "ORC-3", PLACEHOLDER)
    asked = pd.DataFrame({"of": of, "dose": dose})[is_asked]
    is_shared = np.zeros(len(doses), dtype=np.bool_)
    is_shared[is_asked] = asked.groupby("of")["dose"].transform("nunique").to_numpy() > 1
    return is_shared


def _is_added(piece: Piece) -> Flags:
    return piece.is_judged("RXA-1") & ~_is(piece, "RXA-21", "D")


def _is_deletion(piece: Piece) -> Flags:
    return piece.is_judged("RXA-1") & _is(piece, "RXA-21", "D")


def _is_completed(piece: Piece) -> Flags:
    return when(piece, "is_added") & _is(piece, "RXA-20", "CP", "PA")


def _is_given(piece: Piece) -> Flags:
    return when(piece, "is_completed") & _is(piece, "RXA-9", "00")


def _is_historical(piece: Piece) -> Flags:
    return when(piece, "is_completed") & ~_is(piece, "RXA-9", "00")


def _is_refused(piece: Piece) -> Flags:
    return when(piece, "is_added") & _is(piece, "RXA-20", "RE")


def _is_amount_told(piece: Piece) -> Flags:
    return _is_sent(piece, "RXA-6") & ~_is(piece, "RXA-6", UNKNOWN_AMOUNT)


def _is_amount_not_positive(piece: Piece) -> Flags:
    """Tell amounts below zero, and zero for a dose given now: some systems write it for a refused one."""
    amounts = piece.doses.coded("RXA-6")
    numbers = pd.to_numeric(pd.Series(amounts.values.to_pylist(), dtype="str"), errors="coerce").to_numpy()
    is_zero = amounts.spread(numbers == 0) & when(piece, "is_given")
    return (amounts.spread(numbers < 0) & when(piece, "is_added")) | is_zero


def _is_end_other(piece: Piece) -> Flags:
    start, end = piece.days("RXA-3"), piece.days("RXA-4")
    return all_flags((start != end, ~np.isnan(start), ~np.isnan(end)))


def _is_vaccine_missing(piece: Piece) -> Flags:
    return ~_is_sent(piece, "RXA-5") & ~_is_sent(piece, "RXA-5.4")


def _is_vaccine_unknown(piece: Piece) -> Flags:
    return piece.vaccines.in_state(None) & ~_is_vaccine_missing(piece)


def _is_one_cvx_unknown(piece: Piece) -> Flags:
    return piece.vaccines.flags("is_cvx_unknown") & ~piece.vaccines.in_state(None)


def _is_one_ndc_unknown(piece: Piece) -> Flags:
    return piece.vaccines.flags("is_ndc_unknown") & ~piece.vaccines.in_state(None)


def _is_given_unspecified(piece: Piece) -> Flags:
    return when(piece, "is_given") & piece.vaccines.of_kind(VaccineKind.UNSPECIFIED)


def _is_no_vaccine(piece: Piece) -> Flags:
    return when(piece, "is_added") & piece.vaccines.of(_NO_VACCINE)


def _is_no_vaccine_completed(piece: Piece) -> Flags:
    return _is_no_vaccine(piece) & when(piece, "is_completed")


def _is_no_vaccine_doubtful(piece: Piece) -> Flags:
    """Tell 998 that was refused or says nothing of its completion, and NA with a vaccine."""
    is_open = _is(piece, "RXA-20", "RE") | ~_is_sent(piece, "RXA-20")
    is_vaccine = when(piece, "is_added") & ~piece.vaccines.of(_NO_VACCINE) & ~piece.vaccines.in_state(None)
    return (_is_no_vaccine(piece) & is_open) | (is_vaccine & _is(piece, "RXA-20", "NA"))


def _details(piece: Piece) -> tuple[Flags, ...]:
    """Return what is told of a dose that one has given oneself: lot, route, provider, amount."""
    is_routed = piece.flat.doses["rxr"].to_numpy() > 0
    return _is_sent(piece, "RXA-15"), is_routed, _is_sent(piece, "RXA-10"), when(piece, "is_amount_told")


def _is_given_in_name_only(piece: Piece) -> Flags:
    return when(piece, "is_given") & ~any_flags(_details(piece))


def _is_given_in_fact(piece: Piece) -> Flags:
    is_elsewhere = when(piece, "is_historical") & piece.is_left("RXA-9")
    return is_elsewhere & all_flags(_details(piece))


CONDITIONS: Mapping[str, Callable[[Piece], Flags]] = {
    "is_query": _is_query,
    "is_other_type": _is_other_type,
    "is_other_event": _is_other_event,
    "is_other_version": _is_other_version,
    "is_other_processing": _is_other_processing,
    "is_test_in_production": _is_test_in_production,
    "is_other_structure": _is_other_structure,
    "is_control_id_repeated": lambda piece: piece.is_repeated,
    "is_control_id_too_long": _is_control_id_too_long,
    "is_without_zone": _is_without_zone,
    "is_zone_unusual": _is_zone_unusual,
    "is_without_patient": _is_without_patient,
    "is_identifier": _is_identifier,
    "is_last_identifier": _is_last_identifier,
    "is_other_identifier": _is_other_identifier,
    "is_unidentified": _is_unidentified,
    "is_nameless": _is_nameless,
    "is_family_name_missing": _is_family_name_missing,
    "is_given_name_missing": _is_given_name_missing,
    "is_name_not_legal": _is_name_not_legal,
    "is_name_temporary": _is_name_temporary,
    "is_not_dead": lambda piece: ~_is(piece, "PID-30", "Y"),
    "is_protection_blank": lambda piece: ~_is_sent(piece, "PD1-12"),
    "is_status_blank": lambda piece: ~_is_sent(piece, "PD1-16"),
    "is_publicity_blank": lambda piece: ~_is_sent(piece, "PD1-11"),
    "is_protected": lambda piece: _is(piece, "PD1-12", "Y"),
    "is_relative_nameless": _is_relative_nameless,
    "is_without_rxa": lambda piece: ~piece.is_judged("RXA-1"),
    "is_without_orc": lambda piece: piece.is_judged("RXA-1") & ~piece.is_judged("ORC-1"),
    "is_order_shared": _is_order_shared,
    "is_added": _is_added,
    "is_deletion": _is_deletion,
    "is_completed": _is_completed,
    "is_given": _is_given,
    "is_historical": _is_historical,
    "is_refused": _is_refused,
    "is_not_refused": lambda piece: ~_is(piece, "RXA-20", "RE"),
    "is_amount_told": _is_amount_told,
    "is_amount_not_positive": _is_amount_not_positive,
    "is_source_told": lambda piece: _is_sent(piece, "RXA-9"),
    "is_end_other": _is_end_other,
    "is_vaccine_missing": _is_vaccine_missing,
    "is_vaccine_unknown": _is_vaccine_unknown,
    "is_vaccine_invalid": lambda piece: piece.vaccines.in_state(State.INVALID),
    "is_one_cvx_unknown": _is_one_cvx_unknown,
    "is_one_ndc_unknown": _is_one_ndc_unknown,
    "is_ndc_other": lambda piece: piece.vaccines.flags("is_differing"),
    "is_given_unspecified": _is_given_unspecified,
    "is_no_vaccine_completed": _is_no_vaccine_completed,
    "is_no_vaccine_doubtful": _is_no_vaccine_doubtful,
    "is_action_blank": lambda piece: ~_is_sent(piece, "RXA-21"),
    "is_given_in_name_only": _is_given_in_name_only,
    "is_given_in_fact": _is_given_in_fact,
    "is_dose_repeated": lambda piece: piece.is_dose_repeated,
    "is_eligibility": lambda piece: _is(piece, "OBX-3", observations.ELIGIBILITY),
    "is_funding": lambda piece: _is(piece, "OBX-3", observations.FUNDING),
    "is_vis_document": lambda piece: _is(piece, "OBX-3", observations.VIS_DOCUMENT),
    "is_vis_vaccine": lambda piece: _is(piece, "OBX-3", observations.VIS_VACCINE),
    "is_immunity": lambda piece: _is(piece, "OBX-3", observations.IMMUNITY),
    "is_withdrawn": observations.is_withdrawn,
    "is_not_withdrawn": lambda piece: ~when(piece, "is_withdrawn"),
    "is_number_value": lambda piece: _is(piece, "OBX-2", "NM"),
    "is_date_value": lambda piece: _is(piece, "OBX-2", "DT", "TS", "DTM"),
    "is_eligibility_missing": lambda piece: when(piece, "is_given") & ~observations.has_eligibility(piece),
    "is_eligibility_repeated": lambda piece: when(piece, "is_given") & observations.has_eligibilities(piece),
    "is_vis_missing": lambda piece: when(piece, "is_given") & observations.is_without_vis(piece),
    "is_out_of_order": observations.is_out_of_order,
}
"""By name: how the lines are found that meet a condition."""
