"""The errors of this package, each worded once: the column and counts, never a value."""

from __future__ import annotations

from partner_exchange.errors import FileUnwritable


def too_wide(header: str, *, width: int, count: int, longest: int, remedy: str) -> FileUnwritable:
    """Return the error of values that are longer than their column holds.

    :param count: how many of those looked at so far.
    """
    message = (
        f"The column {header!r} holds {width} characters, and {count} of the values looked at so far have "
        f"more, up to {longest}, so the file was not made. {remedy}"
    )
    facts = {"width": width, "count": count, "longest": longest}
    return FileUnwritable("value-too-wide", message, column=header, **facts)


def form_broken(header: str, form: str, reason: str) -> FileUnwritable:
    """Return the error of a form of dates or instants that cannot be used for its column."""
    message = (
        f"The form {form!r} of the column {header!r} cannot be used: {reason}. Correct it in the tenant file."
    )
    return FileUnwritable("form-broken", message, column=header, form=form)


def headers_repeat(header: str) -> FileUnwritable:
    """Return the error of two columns whose values could not be told apart."""
    message = (
        f"Two columns have the header {header!r}, and JSON keeps one of them only. "
        "Give one another `header` in the tenant file."
    )
    return FileUnwritable("headers-repeat", message, column=header)


def not_a_number(header: str) -> FileUnwritable:
    """Return the error of a number that is none (NaN or infinite)."""
    message = (
        f"The column {header!r} holds a number that is none (NaN or infinite). Correct it in the store, "
        "then run the export again."
    )
    return FileUnwritable("not-a-number", message, column=header)


def not_as_written(kind: str, problem: str, **facts: object) -> FileUnwritable:
    """Return the error of a file that does not read back; ``facts`` hold counts and names only."""
    message = (
        f"The file does not read back as {kind}: {problem}. It was changed since it was written, or the "
        "columns and options are not those it was written with."
    )
    return FileUnwritable("not-as-written", message, kind=kind, **facts)
