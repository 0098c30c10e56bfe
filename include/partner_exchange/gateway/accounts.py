"""Who may log in: the tenants of the registry with the keys their policy allows, and the pipeline.

Called by ``sftp`` at each login. A changed tenant file counts from the next login on; while the registry
does not hold, the last good one stays in force, so one partner's mistake in YAML locks nobody out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from partner_exchange import log
from partner_exchange.errors import AuthRefused, KeyPolicyRefused, RegistryInvalid
from partner_exchange.gateway import homes
from partner_exchange.gateway.allowance import Allowance
from partner_exchange.gateway.host_keys import pipeline_public_key
from partner_exchange.gateway.rights import PartnerRights, PipelineRights
from partner_exchange.gateway.visit import Account
from partner_exchange.settings import Settings
from partner_exchange.tenants import keys, registry
from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger("partner_exchange.gateway.audit")

PIPELINE = "pipeline"
"""User name of Airflow; ``tenants.model`` reserves it."""


class Accounts:
    """All accounts of one gateway.

    :raises RegistryInvalid: there is no good registry to start with.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._registry = registry.load(settings.tenants_dir)
        self._complaint = ""
        self._pipeline_key = pipeline_public_key(settings).public_data
        self._create_homes()

    def tenants(self) -> Mapping[str, Tenant]:
        """Return the tenants as of the last login."""
        return self._registry.tenants

    def refresh(self) -> None:
        """Take over a changed registry when it holds; create the homes of new tenants (M05)."""
        try:
            found = registry.load(self._settings.tenants_dir)
        except (RegistryInvalid, OSError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.event(_logger, "registry_invalid", kept=self._registry.sha256[:12], why=repr(str(error)))
            return
        self._complaint = ""
        if found is not self._registry:
            self._registry = found
            self._create_homes()
            log.event(_logger, "registry_loaded", sha256=found.sha256[:12], tenants=len(found.tenants))

    def admit(self, user: str, blob: bytes) -> Account:
        """Return the account that this key opens.

        :param blob: the offered key in wire format.
        :raises AuthRefused: ``account-unknown``, ``key-unknown`` or the code of the broken key policy.
        """
        self.refresh()
        if user == PIPELINE:
            return self._pipeline(blob)
        tenant = self._named(user)
        if tenant is None:
            raise AuthRefused("account-unknown", "No tenant of that code.")
        ring = keys.key_ring(tenant, self._settings)
        if blob not in (key.blob for key in ring.usable):
            raise _refusal(tenant, blob)
        return Account(
            name=tenant.code,
            rights=PartnerRights(tenant),
            root=self._settings.partner_homes_dir / tenant.code,
            limit_bytes=tenant.max_file_bytes,
            allowance=Allowance.of(tenant),
            other_names=homes.OtherNames(tenant),
        )

    def _named(self, user: str) -> Tenant | None:
        """Return the tenant of that user name; an import code is printed in capitals and counts in any case
        (T25).
        """
        tenants = self._registry.tenants
        folded = tenants.get(user.lower()) if user.isascii() else None
        is_import_code = folded is not None and folded.inbox.is_registry
        return folded if is_import_code else tenants.get(user)

    def _pipeline(self, blob: bytes) -> Account:
        if blob != self._pipeline_key:
            raise AuthRefused("key-unknown", "The key is not the pipeline's.")
        return Account(
            name=PIPELINE,
            rights=PipelineRights(self.tenants),
            root=self._settings.partner_homes_dir,
            limit_bytes=None,
            is_pipeline=True,
        )

    def _create_homes(self) -> None:
        for tenant in self._registry.tenants.values():
            try:
                homes.create_home(self._settings.partner_homes_dir, tenant)
            except OSError as error:
                # The other tenants go on; this one finds no folders, and our operator this line.
                log.event(_logger, "home_unusable", account=tenant.code, why=error.strerror)


def _refusal(tenant: Tenant, blob: bytes) -> AuthRefused:
    """Return why the key does not open the account: it breaks the policy, or nobody listed it."""
    try:
        keys.check(keys.read_blob(blob), tenant.access.key_policy)
    except KeyPolicyRefused as error:
        return AuthRefused(error.code, error.message)
    return AuthRefused("key-unknown", "The key is not configured for the tenant.")
