"""Mail addresses in a tenant file."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_ADDRESS = re.compile(r"^[^@\s<>,;]+@[^@\s<>,;]+\.?[^@\s<>,;]*$")


def _one_mail_address(value: str) -> str:
    if not _ADDRESS.match(value):
        raise ValueError("not a mail address; write it as name@example.org")
    return value


MailAddress = Annotated[str, AfterValidator(_one_mail_address)]
"""One address, as ``name@example.org``."""
