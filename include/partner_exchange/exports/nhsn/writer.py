"""The CSV of a set, in the layout of CDC's HRD template (E38)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from partner_exchange.exports.nhsn.schedule import DueTime
from partner_exchange.exports.nhsn.selection import SetRow
from partner_exchange.feeds.status.template import KeyName, Template


def set_csv(template: Template, due: DueTime, rows: Iterable[SetRow]) -> bytes:
    """Return the set as UTF-8 with CRLF: keys, then all values in the order of the template.

    Daily sets have the collection date, weekly ones the week-ending date, both ISO. The same rows give the
    same bytes.
    """
    date_key = KeyName.COLLECTION_DATE if due.frequency == "daily" else KeyName.WEEK_ENDING
    header = {column.key: column.header for column in template.keys}
    keys = (header[KeyName.ORG_ID], header[KeyName.CONTEXT], header[date_key])
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*keys, *(element.header for element in template.elements)])
    day = due.reports_on.isoformat()
    writer.writerows([row.org_id, row.context, day, *row.values] for row in rows)
    return text.getvalue().encode()
