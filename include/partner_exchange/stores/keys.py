"""Comparable forms of values that partners write in many ways; the store keeps them as sent (M25, M26).

Called by the merge, and by feeds that have to tell which rows of a file mean the same student.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_EXTENSION = r"(?i)[\s,;]*(?:x|ext\.?|extension)\s*[0-9]+\s*$"
_MIN_DIGITS, _MAX_DIGITS = 8, 15
_MAX_NAME = 200
"""Characters: an index cannot hold keys of any length."""


def username_key(usernames: pd.Series[str]) -> pa.Array:
    """Return the key by which two Usernames are the same login: trimmed, NFC, case-folded (M20)."""
    trimmed = pc.utf8_normalize(pc.utf8_trim_whitespace(as_texts(usernames)), form="NFC")
    if pc.all(pc.string_is_ascii(trimmed)).as_py() is not False:
        return pc.ascii_lower(trimmed)
    # Only Python folds case in full; nearly all usernames are plain ASCII and never come here.
    folded = pa.array(trimmed.to_pandas().str.casefold(), pa.string())
    return pc.utf8_normalize(folded, form="NFC")


def telephone_key(telephones: pd.Series[str]) -> pa.Array:
    """Return ``+`` and the digits of each telephone number, null where it is not a full one (M26).

    An extension is left out. Ten digits, or eleven that begin with 1, are a North American number, as the
    sources' partners have; any other number without ``+``, ``00`` or ``011`` does not tell its country.
    """
    plain = pc.utf8_trim_whitespace(pc.replace_substring_regex(as_texts(telephones), _EXTENSION, ""))
    digits = pc.replace_substring_regex(plain, r"[^0-9]", "")
    length = pc.utf8_length(digits)
    starts = pc.starts_with
    international = pc.case_when(
        pc.make_struct(
            starts(plain, "+"),
            starts(digits, "011"),
            starts(digits, "00"),
            pc.equal(length, 10),
            pc.and_(pc.equal(length, 11), starts(digits, "1")),
        ),
        digits,
        pc.utf8_slice_codeunits(digits, 3),
        pc.utf8_slice_codeunits(digits, 2),
        pc.binary_join_element_wise("1", digits, ""),
        digits,
        "",
    )
    length = pc.utf8_length(international)
    is_full = pc.and_(pc.greater_equal(length, _MIN_DIGITS), pc.less_equal(length, _MAX_DIGITS))
    return pc.if_else(
        is_full, pc.binary_join_element_wise("+", international, ""), pa.scalar(None, pa.string())
    )


def person_name_key(names: pd.Series[str]) -> pa.Array:
    """Return the key by which two names are the same in the consent registry: case, accents and double
    spaces do not count, everything else does; "" for none.
    """
    plain = pc.utf8_normalize(as_texts(names), form="NFKD")
    if pc.all(pc.string_is_ascii(plain)).as_py() is False:
        bare = pc.replace_substring_regex(plain, r"\p{Mn}", "")
        plain = pc.utf8_normalize(pa.array(bare.to_pandas().str.casefold(), pa.string()), form="NFKC")
    spaced = pc.replace_substring_regex(pc.ascii_lower(plain), r"\s+", " ")
    return pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(spaced), 0, _MAX_NAME)


def as_texts(values: pd.Series[str]) -> pa.Array:
    """Return texts as one Arrow array, null for what is missing."""
    array = pa.array(values, type=pa.string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
