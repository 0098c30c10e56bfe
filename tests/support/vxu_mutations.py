"""HL7 messages with random damage: what broken software, cut lines and bad copies make of a batch."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

from partner_exchange.local.vxu_maker import make_batch
from support import batches

_AT = datetime(2026, 11, 20, 16, 15, tzinfo=UTC)

HOSTILE = (
    "",
    '""',
    "0",
    "-1",
    "1e400",
    "NaN",
    "inf",
    "9" * 40,
    "00000000",
    "99999999",
    "20240230",
    "00010101",
    "99991231",
    "20261120240000",
    "20261120101500-9999",
    "2026",
    "٢٠٢٦١١٢٠",
    "²⁰²⁶¹¹²⁰",
    "2026-11-20",
    "10000101000000.123456789+1400",
    "998",
    "RE",
    "NA",
    "D",
    "U",
    "X" * 5_000,
    "^" * 300,
    "~" * 300,
    "&^~&",
    r"\F\\S\\T\\R\\E\ ",
    r"\X0D\ \X\ \XZZ\ \X0\ \.br\ \Z1\ \C2842\ \M1234\ ",
    "\\",
    "\\E",
    "=1+1",
    "' or 1=1 --",
    "\ufeff\u200b\u2028",
    "e\u0301\U0001f489",
    "MSH|^~\\&|",
    "\x00",
    "\x0b\x1c\r",
)
"""Values that have broken programs before."""

_CONTROL = "\x00\x01\x07\x08\x0b\x0c\x1a\x1b\x1c\x1d\x7f\x85\u2028\n\r"
_NAMES = ("MSH", "PID", "PD1", "NK1", "ORC", "RXA", "RXR", "OBX", "ZZZ", "FHS", "BHS", "BTS", "FTS", "PID2")
Segments = list[str]


def a_message(dice: random.Random, control: str) -> str:
    """A clean message of a patient out of fifty, with up to three doses."""
    patient = dice.randrange(50)
    born = f"{dice.choice((1950, 2000, 2008, 2012, 2019))}{1 + patient % 12:02}{1 + patient % 28:02}"
    name = f"Fam{patient}^Giv{patient}^^^^^L"
    doses = [_a_dose(dice, patient) for _ in range(dice.choice((0, 1, 1, 2, 2, 3)))]
    return batches.message(control, *doses, patient=f"P{patient}", born=born, name=name)


def _a_dose(dice: random.Random, patient: int) -> Segments:
    on = f"2026{dice.randrange(9, 12):02}{dice.randrange(1, 20):02}"
    order = f"D{patient}-{dice.randrange(6)}"
    kind = dice.randrange(6)
    if kind == 0:
        return batches.refusal(on=on)
    if kind == 1:
        return batches.historical(order, on="20200820")
    return batches.dose(order, on=on, action=dice.choice("AAAUD"), cvx=dice.choice(("94", "03", "21")))


def _various(dice: random.Random, messages: int) -> list[str]:
    made = make_batch(
        messages=messages, seed=dice.randrange(10**6), import_code="AAA-SSL", at=_AT, faulty=0.2
    )
    _, *found = made.content.decode().split("\rMSH")
    return ["MSH" + one.partition("\rBTS")[0].removesuffix("\r") + "\r" for one in found]


def mutated(dice: random.Random, message: str) -> bytes:
    """The message with up to four kinds of damage, or none."""
    segments = message.removesuffix("\r").split("\r")
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3, 4))):
        dice.choice(_ON_SEGMENTS)(dice, segments)
    text = "".join(f"{segment}\r" for segment in segments)
    if dice.random() < 0.3:
        text = dice.choice(_ON_TEXT)(dice, text)
    content = text.encode("utf-8" if dice.random() < 0.9 else "utf-8-sig", errors="surrogatepass")
    return _flipped(dice, content) if dice.random() < 0.2 else content


def a_file(dice: random.Random, messages: int) -> bytes:
    """A batch of mutated messages, in an envelope that may be whole, broken or missing.

    Half of them are of few patients with few orders, so that doses meet; half are as various as a clinic's.
    """
    few = [a_message(dice, f"C{number}") for number in range(messages - messages // 2)]
    parts = [mutated(dice, one) for one in dice.sample([*few, *_various(dice, messages // 2)], messages)]
    head = [f"{name}|^~\\&|EHR|CLINIC|REG|STATE|{batches.AT}\r".encode() for name in ("FHS", "BHS")]
    tail = [f"BTS|{dice.choice((str(messages), '', '7', 'x'))}\r".encode(), b"FTS|1\r"]
    kind = dice.randrange(5)
    if kind == 0:
        head, tail = [], []
    elif kind == 1:
        tail = []
    elif kind == 2:
        middle = dice.randrange(len(parts))
        parts[middle:middle] = [tail[0], head[1]]
    content = b"".join([*head, *parts, *tail])
    if dice.random() < 0.3:
        content = content.replace(b"\r", dice.choice((b"\n", b"\r\n", b"\r\r\n", b"\x1c\r\x0b")))
    if dice.random() < 0.2:
        content = content[: dice.randrange(len(content) // 2, len(content))]
    return content


def _cut(dice: random.Random, segments: Segments) -> None:
    at = dice.randrange(len(segments))
    segments[at] = segments[at][: dice.randrange(len(segments[at]) + 1)]


def _dropped(dice: random.Random, segments: Segments) -> None:
    if len(segments) > 1:
        del segments[dice.randrange(len(segments))]


def _doubled(dice: random.Random, segments: Segments) -> None:
    segments.insert(dice.randrange(len(segments) + 1), dice.choice(segments))


def _swapped(dice: random.Random, segments: Segments) -> None:
    one, other = dice.randrange(len(segments)), dice.randrange(len(segments))
    segments[one], segments[other] = segments[other], segments[one]


def _joined(dice: random.Random, segments: Segments) -> None:
    at = dice.randrange(len(segments))
    segments[at : at + 2] = [dice.choice(("", " ", "|")).join(segments[at : at + 2])]


def _broken(dice: random.Random, segments: Segments) -> None:
    at = dice.randrange(len(segments))
    place = dice.randrange(len(segments[at]) + 1)
    segments[at : at + 1] = [segments[at][:place], segments[at][place:]]


def _renamed(dice: random.Random, segments: Segments) -> None:
    at = dice.randrange(len(segments))
    segments[at] = dice.choice(_NAMES) + segments[at][3:]


def _fields(change: Callable[[random.Random, list[str]], None]) -> Callable[[random.Random, Segments], None]:
    def on_segments(dice: random.Random, segments: Segments) -> None:
        at = dice.randrange(len(segments))
        fields = segments[at].split("|")
        change(dice, fields)
        segments[at] = "|".join(fields)

    return on_segments


def _field_set(dice: random.Random, fields: list[str]) -> None:
    fields[dice.randrange(len(fields))] = dice.choice(HOSTILE)


def _component_set(dice: random.Random, fields: list[str]) -> None:
    at = dice.randrange(len(fields))
    components = fields[at].split("^")
    components[dice.randrange(len(components))] = dice.choice(HOSTILE)
    fields[at] = "^".join(components)


def _field_dropped(dice: random.Random, fields: list[str]) -> None:
    del fields[dice.randrange(len(fields))]


def _field_doubled(dice: random.Random, fields: list[str]) -> None:
    at = dice.randrange(len(fields))
    fields.insert(at, fields[at])


def _field_repeated(dice: random.Random, fields: list[str]) -> None:
    at = dice.randrange(len(fields))
    fields[at] = "~".join([fields[at]] * dice.randrange(2, 60))


def _fields_swapped(dice: random.Random, fields: list[str]) -> None:
    one, other = dice.randrange(len(fields)), dice.randrange(len(fields))
    fields[one], fields[other] = fields[other], fields[one]


_ON_SEGMENTS: tuple[Callable[[random.Random, Segments], None], ...] = (
    _cut,
    _dropped,
    _doubled,
    _swapped,
    _joined,
    _broken,
    _renamed,
    _fields(_field_set),
    _fields(_field_set),
    _fields(_component_set),
    _fields(_component_set),
    _fields(_field_dropped),
    _fields(_field_doubled),
    _fields(_field_repeated),
    _fields(_fields_swapped),
)


def _other_separators(dice: random.Random, text: str) -> str:
    """One sign for another, everywhere or only where MSH declares it."""
    sign = dice.choice("|^~\\&")
    other = dice.choice("#!$%*@:;`{}A7 \t|^~\\&")
    return text.replace(sign, other, dice.choice((1, 2, -1)))


def _control_signs(dice: random.Random, text: str) -> str:
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice(_CONTROL) + text[at:]
    return text


def _cut_text(dice: random.Random, text: str) -> str:
    start = dice.randrange(len(text) + 1)
    return text[:start] + text[start + dice.randrange(200) :]


_ON_TEXT = (_other_separators, _control_signs, _cut_text)


def _flipped(dice: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.randrange(1, 6)):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)
