"""Small valid things to start a test from; every builder takes what the test is about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from partner_exchange.ledger import submissions
from partner_exchange.ledger.submissions import Submission
from partner_exchange.stores.students import TEXT_COLUMNS
from partner_exchange.tenants.model import Tenant


def a_tenant(**over: Any) -> Tenant:
    """Return a valid tenant with the roster feed."""
    return Tenant.model_validate(
        {"code": "state-university", "name": "State University", "feed": "roster", **over}
    )


def a_student_rows(n: int, **over: Any) -> pd.DataFrame:
    """Return ``n`` different rows in the shape that ``students.merge`` takes; ``over`` sets whole columns."""
    number = pd.Series(np.arange(1, n + 1))
    text = number.astype("str")
    day = text.str.zfill(7)
    rows = pd.DataFrame(
        {
            "row": number + 1,
            "username": "student" + text + "@example.edu",
            "student_id": "S" + text.str.zfill(8),
            "last_name": "Last" + text,
            "first_name": "First" + text,
            "telephone": "(512) 5" + day.str[-6:-4] + "-" + day.str[-4:],
            "dob": "2001-02-" + (number % 28 + 1).astype("str").str.zfill(2),
            "requirement_group": "Health Sciences",
            "term": "Fall 2026",
            "on_campus": (number % 2).astype("str"),
        }
    )
    for column, value in over.items():
        rows[column] = value
    return rows.astype({"row": "int64", **dict.fromkeys(TEXT_COLUMNS, "str")})


def a_submission(connection: Connection, **over: Any) -> Submission:
    """Return a freshly claimed submission of ``state-university``."""
    values = {
        "tenant_code": "state-university",
        "feed": "roster",
        "file_name": "roster.csv",
        "stamp": "20261121T074712Z",
        "sha256": "0" * 64,
        "size_bytes": 1234,
        "policy_sha256": "1" * 64,
    }
    return submissions.open_submission(connection, **{**values, **over})
