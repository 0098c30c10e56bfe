"""Presets named after the sources; a tenant file takes one with ``preset: <name>`` and may override any part
of it.
"""

from __future__ import annotations

from typing import Any

_MEDPROCTOR: dict[str, Any] = {
    "feed": "roster",
    "access": {"key_policy": {"types": ["rsa"], "bits": 2048, "match": "exact"}},
}

PRESETS: dict[str, dict[str, Any]] = {
    # K1: three readings of one vendor's required set. The column description says Username alone ...
    "medproctor-columns": {**_MEDPROCTOR, "roster": {"required": []}},
    # ... the FAQ of the SFTP guide says e-mail and OnCampus ...
    "medproctor-sftp-faq": {**_MEDPROCTOR, "roster": {"required": ["email", "on_campus"]}},
    # ... the FAQ of the integrations guide says e-mail and some student ID.
    "medproctor-integrations-faq": {**_MEDPROCTOR, "roster": {"required": ["email", "student_id"]}},
    # S0, the SFTP data uploader: RSA with exactly 4096 bits (E42, K4), a folder for uploads, one for answers.
    "emresource": {
        "feed": "status",
        "access": {"key_policy": {"types": ["rsa"], "bits": 4096, "match": "exact"}},
        "inbox": {"folder": "upload", "outbox": "results", "answers": "outbox"},
        "status": {
            "catalogues": ["starter", "edxl-have", "cdc-hrd", "cdc-bed-capacity"],
            "identical_file": "allow",
        },
    },
    # S2 and S3, the Texas Immunization Registry: four folders (T27-T31), 300 files a folder (T38, K13), data
    # kept for 180 days (T39, K10); the slides call the folder of the reports by two names (K6).
    "texas-registry": {
        "feed": "vxu",
        "time_zone": "America/Chicago",
        "inbox": {
            "folder": "HL7-Dropoff",
            "accepted": "Accepted",
            "reports": "DQA-Report",
            "outbox": "Receive",
            "aliases": {"DQA-Reports": "DQA-Report"},
            "answers": "registry",
            "may_delete_answers": False,
        },
        "quota": {"max_files": 300, "scope": "folder"},
        "retention": {"days": 180},
    },
}


def merge(preset: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return ``preset`` with ``own`` laid over it; mappings merge key by key, all else is replaced."""
    merged = dict(preset)
    for key, value in own.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
