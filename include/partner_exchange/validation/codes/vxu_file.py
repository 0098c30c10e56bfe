"""Codes of the immunization feed: file, envelope and framing."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope
from partner_exchange.validation.findings import Severity

_REFUSED, _FILE, _ROW, _CELL = Scope.REFUSAL, Scope.FILE, Scope.ROW, Scope.CELL
_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "hl7-name-wrong",
        _REFUSED,
        _ERROR,
        "The file name is not ImportCodeYYDDD.hl7",
        (
            "The file name is not the import code, two digits of the year, three digits of the day of the "
            "year and .hl7; a second and third file of one day end in -2.hl7 and -3.hl7."
        ),
        "Rename the file and drop it again.",
        detail=(
            "The file name is not the import code, two digits of the year, three digits of the day of the "
            "year and .hl7, such as {example} today; a second and third file of one day end in -2.hl7 and "
            "-3.hl7."
        ),
    ),
    Entry(
        "hl7-name-import-code",
        _REFUSED,
        _ERROR,
        "The file name begins with another import code",
        "The file name does not begin with the import code of this account.",
        "Rename the file, or drop it with the account it is for.",
        detail=(
            "The file name does not begin with the import code of this account; today's name would be "
            "{example}."
        ),
    ),
    Entry(
        "hl7-name-no-such-day",
        _REFUSED,
        _ERROR,
        "The file name has no such day",
        "The three digits of the day in the file name are no day of that year, which has 001 to 365 or 366.",
        "Rename the file and drop it again.",
        detail=(
            "The three digits of the day in the file name are no day of that year, which has 001 to 365 or "
            "366; today's name would be {example}."
        ),
    ),
    Entry(
        "hl7-name-in-future",
        _REFUSED,
        _ERROR,
        "The day in the file name is in the future",
        "The day in the file name is after today.",
        "Rename the file and drop it again.",
        detail="The day in the file name is after today; today's name would be {example}.",
    ),
    Entry(
        "hl7-name-old",
        _FILE,
        _WARNING,
        "The day in the file name is long ago",
        "The day in the file name is more than 31 days ago; the file was taken.",
        "See that your system writes the day on which it makes the file.",
    ),
    Entry(
        "hl7-empty",
        _REFUSED,
        _ERROR,
        "The file is empty",
        "The file holds nothing but blank space.",
        "Export the messages again and drop the new file.",
        detail="The file holds nothing: {size} bytes, none of them text.",
    ),
    Entry(
        "hl7-not-text",
        _REFUSED,
        _ERROR,
        "The file is not HL7 text",
        "The file is not HL7 text.",
        "Export the messages as HL7 2.5.1 text and drop that file, not packed and not encrypted.",
        detail="The file is not HL7 text but {kind}.",
    ),
    Entry(
        "hl7-no-message",
        _REFUSED,
        _ERROR,
        "The file holds no message",
        "No line of the file begins with MSH, so there is no message in it.",
        "Export the messages as HL7 2.5.1 text, each beginning with MSH, and drop that file.",
    ),
    Entry(
        "hl7-no-vxu",
        _REFUSED,
        _ERROR,
        "No message of the file is a VXU",
        "None of the messages is a VXU, so nothing was loaded; what each one is, the acknowledgements say.",
        "Send immunizations as VXU^V04; this exchange takes no other message and answers no query.",
    ),
    Entry(
        "hl7-too-many-messages",
        _REFUSED,
        _ERROR,
        "The file has too many messages",
        "The file has more messages than one file may have, so none was loaded.",
        "Split the messages into smaller files and drop them one after the other.",
        detail=(
            "The file has {count} messages, one file may have {limit}; none was loaded. {files} files of up "
            "to {limit} messages would hold them."
        ),
    ),
    Entry(
        "hl7-nul-bytes",
        _FILE,
        _WARNING,
        "The file holds NUL bytes",
        "The file holds NUL bytes; they were left out.",
        "See whether values are damaged, and export the file again if so.",
        detail="The file holds {count} NUL bytes; they were left out.",
    ),
    Entry(
        "batch-count-differs",
        _FILE,
        _WARNING,
        "BTS-1 is not the number of messages",
        "BTS-1 says another number of messages than the batch has; those that are there were taken.",
        "See whether messages were lost, and let your system count them or leave BTS-1 blank.",
        detail=(
            "BTS-1 in line {line} says {declared} messages, but the batch has {found}; those that are there "
            "were taken (batches with a wrong number: {count})."
        ),
    ),
    Entry(
        "batch-count-unreadable",
        _FILE,
        _WARNING,
        "BTS-1 is not a number",
        "BTS-1 is not a number of messages.",
        "Write how many messages the batch has, or leave BTS-1 blank.",
        detail="BTS-1 in line {line} is not a number of messages (such lines: {count}).",
    ),
    Entry(
        "batch-trailer-missing",
        _FILE,
        _WARNING,
        "A batch has no BTS",
        "A batch begins with BHS and has no BTS; its messages were taken.",
        "See whether the end of the batch was lost, and end each batch with BTS.",
        detail=(
            "The batch that begins with BHS in line {line} has no BTS; its messages were taken (such "
            "batches: {count})."
        ),
    ),
    Entry(
        "file-count-differs",
        _FILE,
        _WARNING,
        "FTS-1 is not the number of batches",
        "FTS-1 says another number of batches than the file has; those that are there were taken.",
        "See whether batches were lost; FTS-1 counts batches, not messages, and may be left blank.",
        detail=(
            "FTS-1 in line {line} says {declared} batches, but the file has {found}; those that are there "
            "were taken."
        ),
    ),
    Entry(
        "file-count-unreadable",
        _FILE,
        _WARNING,
        "FTS-1 is not a number",
        "FTS-1 is not a number of batches.",
        "Write how many batches the file has, or leave FTS-1 blank.",
        detail="FTS-1 in line {line} is not a number of batches.",
    ),
    Entry(
        "file-trailer-missing",
        _FILE,
        _WARNING,
        "The file has no FTS",
        "The file begins with FHS and has no FTS; what is there was taken.",
        "See whether the end of the file was lost, and end it with FTS.",
    ),
    Entry(
        "envelope-out-of-order",
        _FILE,
        _WARNING,
        "The envelope is out of order",
        "FHS, BHS, BTS and FTS are not in their order; all messages were taken.",
        "Begin the file with FHS and each batch with BHS, and end them with BTS and FTS.",
        detail=(
            "{segment} in line {line} is not where the order FHS, BHS, messages, BTS, FTS wants it; all "
            "messages were taken (lines out of order: {count})."
        ),
    ),
    Entry(
        "envelope-separators",
        _FILE,
        _WARNING,
        "The envelope has unusual separators",
        "FHS or BHS declares other separators than |^~\\&; the messages have their own and were taken.",
        "Begin FHS and BHS with |^~\\&.",
        detail=(
            "{segment} in line {line} declares other separators than |^~\\&; the messages have their own and "
            "were taken (such lines: {count})."
        ),
    ),
    Entry(
        "text-outside-messages",
        _FILE,
        _WARNING,
        "There is text outside of messages",
        "Lines belong to no message and were left out.",
        "See whether the beginning of a message was lost: each one begins with MSH.",
        detail="Lines that belong to no message were left out: {count}, the first is line {line}.",
    ),
    Entry(
        "charset-assumed",
        _CELL,
        _WARNING,
        "The character set was guessed",
        "The message holds letters with accents, no character set in MSH-18, and is not UTF-8; it was read "
        "as Windows-1252.",
        "Write the character set in MSH-18, best UNICODE UTF-8.",
        hl7_error="101",
        hl7_application_error="7",
    ),
    Entry(
        "charset-differs",
        _CELL,
        _WARNING,
        "The text is not in the declared character set",
        (
            "The text is not in the character set of MSH-18. It was read as UTF-8 where it is UTF-8, else as "
            "Windows-1252; only damaged signs were replaced."
        ),
        "Write the character set in MSH-18 that your system really sends, best UNICODE UTF-8.",
        hl7_error="102",
    ),
    Entry(
        "charset-unknown",
        _CELL,
        _WARNING,
        "The character set is not known",
        "MSH-18 is no character set that can be read; the text was taken for UTF-8, else for Windows-1252.",
        "Write a code of table HL70211 in MSH-18, best UNICODE UTF-8.",
        hl7_error="103",
        hl7_application_error="5",
    ),
    Entry(
        "segment-out-of-order",
        _ROW,
        _ERROR,
        "A segment is out of order",
        "The segment stands where the message does not allow it; it was left out.",
        "Keep the order MSH, PID, PD1, NK1, and for each dose ORC, RXA, RXR, OBX.",
        hl7_error="100",
    ),
    Entry(
        "message-cut",
        _ROW,
        _ERROR,
        "The message is cut off",
        "The file ends in the middle of a line, and the trailers that its header promises are missing: its "
        "end was lost on the way. The last message is not whole, so nothing of it was taken.",
        "Send the whole file again; what was taken already stays as it is.",
        hl7_error="100",
    ),
    Entry(
        "patient-repeated",
        _ROW,
        _ERROR,
        "There are two patients in one message",
        "The message has a second PID; most likely the header of a message was lost. Nobody can tell whose "
        "doses they are, so nothing of it was taken.",
        "Begin each message with MSH on a line of its own, and send both messages again.",
        hl7_error="100",
    ),
    Entry(
        "segment-repeated",
        _ROW,
        _WARNING,
        "A segment is there twice",
        "The segment may be there only once; the first one was taken.",
        "Send one PD1 per message and one RXR per dose.",
        hl7_error="100",
    ),
    Entry(
        "line-not-a-segment",
        _ROW,
        _WARNING,
        "A line is no segment",
        "The line begins with no segment name and separator; it was left out.",
        r"A line break inside a value is the usual cause: write it as \.br\ there.",
        hl7_error="102",
    ),
)
