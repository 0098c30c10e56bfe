"""Hand one mail to the SMTP relay of the deployment settings."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from partner_exchange.errors import MailDeferred, MailRefused
from partner_exchange.settings import Settings

TIMEOUT_S = 20.0


def send(message: EmailMessage, settings: Settings) -> None:
    """Send the mail once.

    :raises MailDeferred: the relay is away or asks to come back later; try again.
    :raises MailRefused: the relay refuses this mail or our login for good.
    """
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S) as relay:
            if settings.smtp_starttls:
                relay.starttls(context=ssl.create_default_context())
            if settings.smtp_user and settings.smtp_password:
                relay.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            relay.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refused_or_deferred(max(codes, default=550)) from None
    except smtplib.SMTPResponseException as error:
        raise _refused_or_deferred(error.smtp_code) from None
    except (OSError, smtplib.SMTPException) as error:
        text = "The mail relay cannot be reached; the mail stays in the outbox and is tried again."
        raise MailDeferred("mail-relay-unreachable", text, kind=type(error).__name__) from None


def _refused_or_deferred(smtp_code: int) -> MailDeferred | MailRefused:
    if 400 <= smtp_code < 500:
        text = f"The mail relay asks to come back later ({smtp_code}); the mail is tried again."
        return MailDeferred("mail-deferred", text, smtp_code=smtp_code)
    text = f"The mail relay refuses the mail ({smtp_code}); check the contact's address in the tenant file."
    return MailRefused("mail-refused", text, smtp_code=smtp_code)
