"""Error families of the exchange.

A partner's mistake is data (a finding), never one of these. What stands here is *our* failure, or a signal
between rooms. Each class says where it is defined whether trying again can help: the markers ``Transient``
and ``Terminal`` are the only thing a retry policy may look at.

Messages are built inside, in the form "what, where, why, next", and never hold a cell value, a password, a
key or another tenant's name.
"""

from __future__ import annotations

from typing import Any


class Transient:
    """Marker: the same call may succeed later without anyone changing anything."""


class Terminal:
    """Marker: trying again cannot help; somebody has to change something first."""


class ExchangeError(Exception):
    """Base of all errors of the exchange; carries fields, not just a sentence.

    :param code: stable kebab-case code, kept in the ledger.
    :param message: what, where, why, next.
    :param fields: the facts behind the message, safe to log.
    """

    def __init__(self, code: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields

    def attrs(self) -> dict[str, Any]:
        """Return code, message and fields for the ledger."""
        return {"code": self.code, "message": self.message, **self.fields}

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.code, self.message, self.fields))


def _rebuild(kind: type[ExchangeError], code: str, message: str, fields: dict[str, Any]) -> ExchangeError:
    return kind(code, message, **fields)


class ConfigError(ExchangeError, Terminal):
    """The deployment or a tenant's YAML is wrong."""


class RegistryInvalid(ConfigError):
    """At least one tenant file does not hold; ``fields["problems"]`` lists file, path, problem and remedy."""


class UnknownTenant(ConfigError):
    """No tenant of that code is configured."""


class UnknownFeed(ConfigError):
    """The tenant names a feed that the exchange does not have."""


class GatewayError(ExchangeError):
    """A protocol door cannot do what was asked."""


class KeyPolicyRefused(GatewayError, Terminal):
    """A public key does not meet the tenant's key policy (K4)."""


class AuthRefused(GatewayError, Terminal):
    """A login is refused; the reason is for our operators only, never for the caller (E46)."""


class RightRefused(GatewayError, Terminal):
    """The account may not do this at this place."""


class NameRefused(GatewayError, Terminal):
    """A path or file name cannot be used at any place."""


class QuotaExceeded(GatewayError, Terminal):
    """The file is larger than the tenant may send, or one more than the tenant may leave in the inbox."""


class StackError(ExchangeError, Terminal):
    """The one-machine stack cannot start, stop or be reached as asked."""


class IntakeError(ExchangeError):
    """A file cannot be taken in."""


class ArchiveUnavailable(IntakeError, Transient):
    """The archive cannot be read or written now: no room, no right, or not there."""


class ArchiveDamaged(IntakeError, Terminal):
    """The kept original is missing or its checksum differs."""


class LedgerError(ExchangeError):
    """The ledger refuses a change."""


class UnknownSubmission(LedgerError, Terminal):
    """No submission of that id."""


class StateConflict(LedgerError, Terminal):
    """A submission cannot go from its state to the wanted one."""


class StoreError(ExchangeError):
    """The store cannot take the rows."""


class StoreUnavailable(StoreError, Transient):
    """The database cannot be reached now."""


class SerializationConflict(StoreError, Transient):
    """Two transactions met; the later one has to run again."""


class CountsDoNotReconcile(StoreError, Terminal):
    """Rows in and the sum of row outcomes differ; nothing was committed (X04)."""


class ConstraintSurprise(StoreError, Terminal):
    """The database refused a row that our own checks let through; names the constraint, never the row."""


class InboxError(ExchangeError):
    """The partner's home cannot be used."""


class InboxUnavailable(InboxError, Transient):
    """The server that holds the partner's home cannot be reached now."""


class InboxLoginRefused(InboxError, Terminal):
    """The server refused our login or showed another host key than the pinned one."""


class ExportError(ExchangeError):
    """What is to go out cannot be made."""


class ReportRefused(ExportError, Terminal):
    """A report is asked for that is not there, or not with these columns or parameters."""

    @classmethod
    def of(cls, code: str, problem: str, remedy: str, **fields: Any) -> ReportRefused:
        """Return the error whose message is both sentences, for those who show them apart.

        :param problem: what is wrong, a sentence.
        :param remedy: what to do, sentences; kept in ``fields["remedy"]``.
        """
        return cls(code, f"{problem} {remedy}", **fields, remedy=remedy)

    @property
    def remedy(self) -> str:
        """Return what to do about it; "" where the problem says it already."""
        return str(self.fields.get("remedy", ""))

    @property
    def problem(self) -> str:
        """Return the message without its remedy and the full stop before it."""
        return self.message.removesuffix(self.remedy).rstrip().removesuffix(".")


class FileUnwritable(ExportError, Terminal):
    """Rows do not fit the form of the file, such as a value wider than its column; names the column only."""


class ExportBlocked(ExportError, Terminal):
    """An earlier delivery of the export is a dead letter; nothing goes before somebody has dealt with it."""


class DeliveryError(ExchangeError):
    """A file cannot be put where it is to go (X10)."""


class Unreachable(DeliveryError, Transient):
    """The server cannot be reached, or the connection was cut or fell silent."""


class RemoteBusy(DeliveryError, Transient):
    """The server answers, but refuses for now: too many sessions, or a fault without a reason."""


class DeliveryWaits(DeliveryError, Transient):
    """The next try is not due yet, or another worker is at it; ``fields["retry_after_s"]`` says how long."""


class LoginRefused(DeliveryError, Terminal):
    """The server takes neither our key nor our password, or the connection is not set up."""


class HostKeyChanged(DeliveryError, Terminal):
    """The server shows another host key than the pinned one, or none is pinned."""


class PathMissing(DeliveryError, Terminal):
    """The folder is not there, or we may not write there."""


class RemoteFull(DeliveryError, Terminal):
    """There is no space left where the file is to go."""


class NameTaken(DeliveryError, Terminal):
    """A file of that name is there, and the target says to deliver nothing then."""


class TargetChanged(DeliveryError, Terminal):
    """The file may have got its name where the export went before; only a look there can say."""


class DeliveryGivenUp(DeliveryError, Terminal):
    """All tries of the ladder failed; the delivery is a dead letter until somebody sends it again."""


class UnknownDelivery(LedgerError, Terminal):
    """No delivery of that id."""


class UnknownReportRequest(LedgerError, Terminal):
    """No request for a report of that id."""


class MailError(ExchangeError):
    """A mail cannot be sent."""


class MailDeferred(MailError, Transient):
    """The mail server is away or asks to come back later."""


class MailRefused(MailError, Terminal):
    """The mail server refused the mail for good."""
