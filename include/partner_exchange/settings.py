"""Deployment settings, from environment variables with the prefix ``EXCHANGE_`` and nowhere else.

Tenant policy is not here: it is YAML in git (``include/tenants``). ``get_settings`` reads the environment
anew at each call, so that a test or a supervisor can change it; nothing is read at import time.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parents[2]
"""The checkout: the folder that holds ``dags/``, ``plugins/`` and ``include/``."""


class Settings(BaseSettings):
    """What one deployment needs to know. Ports and home are the fixed surface of design.md section 8."""

    model_config = SettingsConfigDict(env_prefix="EXCHANGE_", extra="ignore")

    home: Path = Field(default=Path(".exchange"), description="state of the one-machine stack")
    tenants_dir: Path = Field(
        default=PROJECT_DIR / "include" / "tenants", description="folder of tenant YAML files"
    )
    dags_dir: Path = Field(default=PROJECT_DIR / "dags", description="folder of the DAG files")
    database_url: SecretStr | None = Field(
        default=None,
        description="postgresql://... of the exchange database; unset: the embedded one under home",
    )
    storage_url: str | None = Field(
        default=None, description="fsspec address of archive and work area; unset: file://<home>/storage"
    )
    host: str = Field(default="127.0.0.1", description="address the one-machine stack listens on")
    sftp_host: str = Field(
        default="127.0.0.1", description="where the pipeline and partners reach the gateway"
    )
    sftp_port: int = 2222
    ftps_port: int = 9990
    https_port: int = 8443
    airflow_port: int = 8080
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 8025
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = False
    mail_from: str = "Partner Exchange <exchange@localhost>"
    poll_interval_s: float = Field(default=0.5, gt=0, description="pause between two looks at all inboxes")
    ring_again_s: float = Field(
        default=30.0, gt=0, description="ring anew while claimable files are still there"
    )
    tasks_per_tenant: int = Field(
        default=4, ge=1, description="tasks of one tenant at a time, so that no tenant takes all workers"
    )
    purge_limit: int = Field(
        default=500,
        ge=1,
        description="most submissions of one tenant that one purge takes, and most deliveries (T39)",
    )
    operations_mail: str | None = Field(
        default=None,
        description="who of us hears about outbound files that cannot be delivered (X10); unset: what is "
        "ours to mend is told to the partner's contacts, and on one machine to an address in its mail sink",
    )
    log_level: str = "INFO"

    @property
    def home_dir(self) -> Path:
        """Return the absolute home of the stack."""
        return self.home.expanduser().resolve()

    @property
    def partner_homes_dir(self) -> Path:
        """Return the folder that holds one home per tenant behind the gateway."""
        return self.home_dir / "homes"

    @property
    def keys_dir(self) -> Path:
        """Return the folder of the demo partners' key pairs, one folder per tenant."""
        return self.home_dir / "keys"

    @property
    def storage_address(self) -> str:
        """Return the fsspec address of archive and work area."""
        return self.storage_url or f"file://{self.home_dir / 'storage'}"


def get_settings() -> Settings:
    """Return the settings of the present environment.

    :raises pydantic.ValidationError: when a variable does not hold; the CLI turns it into a sentence.
    """
    return Settings()
