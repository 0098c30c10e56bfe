"""How the command line says that something went wrong on our side."""

from __future__ import annotations

from pydantic import ValidationError

from partner_exchange.log import redact

FAILED = 3
"""Exit code of a failure of ours; 0 to 2 belong to the verdict of ``exchange check``."""


def sentence(error: Exception) -> str:
    """Return what happened and what to do, redacted."""
    if isinstance(error, ValidationError):
        wrong = [
            f"EXCHANGE_{'.'.join(map(str, part['loc'])).upper()}: {part['msg']}" for part in error.errors()
        ]
        return redact("A setting does not hold: " + "; ".join(wrong) + ". Correct the environment variable.")
    if isinstance(error, OSError) and not hasattr(error, "code"):
        name = f"{error.filename}: " if error.filename else ""
        return redact(f"{name}{error.strerror or error}")
    return redact(str(error))
