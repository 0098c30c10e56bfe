"""Who of a tenant's contacts hears about what (E36)."""

from __future__ import annotations

from partner_exchange.ledger.mails import Event
from partner_exchange.settings import get_settings
from partner_exchange.tenants.model import Contacts

_DELIVERIES = (Event.DELIVERY_FAILED, Event.DELIVERY_REFUSED, Event.DELIVERY_UNANSWERED)


def recipients(
    contacts: Contacts, event: Event, *, with_ours: bool = False, is_our_turn: bool = False
) -> tuple[str, ...]:
    """Return who hears about an event; all bad news but findings share one list.

    A list that is not given is the one for the next better news, so that a contact for good news alone hears
    of the bad ones as well; one that is given empty says that nobody wants to hear.

    :param with_ours: whether we hear as well, where ``EXCHANGE_OPERATIONS_MAIL`` says who of us does.
    :param is_our_turn: whether nothing is asked of the partner, who then hears of it only where nobody of us
        does.
    """
    ours = get_settings().operations_mail
    if is_our_turn and ours:
        return (ours,) if with_ours else ()
    given = contacts.model_fields_set
    findings = contacts.findings if "findings" in given else contacts.success
    refusal = contacts.refusal if "refusal" in given else findings
    delivery = contacts.delivery if "delivery" in given else refusal
    lists = dict.fromkeys(_DELIVERIES, delivery)
    lists |= {Event.SUCCESS: contacts.success, Event.FINDINGS: findings}
    us = [ours] if with_ours and ours else []
    return tuple(dict.fromkeys([*lists.get(event, refusal), *us]))
