"""Create the store of immunizations, the doses that are held for want of consent, and the consents."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UP = """
create table store.patient (
    tenant_code            text        not null,
    patient_key            text        not null,
    -- Which patient is the older one: those of one file have one created_at.
    patient_no             bigint      not null generated always as identity,
    last_name              text,
    first_name             text,
    middle_name            text,
    suffix                 text,
    birth_on               date,
    sex                    text,
    mother_maiden_name     text,
    race                   text,
    ethnicity              text,
    street                 text,
    city                   text,
    state                  text,
    zip                    text,
    country                text,
    phone                  text,
    email                  text,
    is_multiple_birth      text,
    birth_order            text,
    died_on                date,
    -- As it was said last; N takes back an earlier death.
    death_indicator        text,
    publicity_code         text,
    -- What the sender says in PD1-12; nobody may read consent from it (T62).
    protection_claim       text,
    registry_status        text,
    reported_at            timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    -- No foreign keys: they would cost as much as the merge itself.
    created_by_submission  text        not null,
    changed_by_submission  text        not null,

    constraint patient_pkey primary key (tenant_code, patient_key)
);

create table store.patient_identifier (
    tenant_code  text    not null,
    authority    text    not null,
    identifier   text    not null,
    type         text    not null,
    patient_key  text    not null,
    -- A message named the patient by it first of all.
    is_primary   boolean not null,

    constraint patient_identifier_pkey primary key (tenant_code, authority, identifier, type)
);
create index patient_identifier_patient_idx on store.patient_identifier (tenant_code, patient_key);

create table store.dose (
    tenant_code            text        not null,
    patient_key            text        not null,
    dose_key               text        not null,
    completion             text        not null,
    cvx                    text,
    ndc                    text,
    mvx                    text,
    administered_on        date,
    amount                 numeric,
    unit                   text,
    information_source     text,
    lot                    text,
    expires_on             date,
    route                  text,
    site                   text,
    refusal_reason         text,
    provider_id            text,
    location               text,
    is_given               boolean     not null,
    -- Of the dose with its observations: equal means the same dose again.
    fingerprint            uuid        not null,
    -- Of the newest message that says this.
    reported_at            timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    created_by_submission  text        not null,
    changed_by_submission  text        not null,

    constraint dose_pkey primary key (tenant_code, patient_key, dose_key),
    constraint dose_completion_check check (completion in ('CP', 'PA', 'NA'))
);

create table store.observation (
    tenant_code  text    not null,
    patient_key  text    not null,
    dose_key     text    not null,
    ordinal      integer not null,
    observation  text,
    sub_id       text,
    type         text,
    value        text,
    unit         text,
    observed_on  date,
    method       text,

    constraint observation_pkey primary key (tenant_code, patient_key, dose_key, ordinal)
);

create table store.refusal (
    tenant_code            text        not null,
    patient_key            text        not null,
    dose_key               text        not null,
    cvx                    text,
    refused_on             date,
    refusal_reason         text,
    information_source     text,
    provider_id            text,
    location               text,
    fingerprint            uuid        not null,
    -- Of the newest message that says this.
    reported_at            timestamptz not null,
    created_at             timestamptz not null,
    updated_at             timestamptz not null,
    created_by_submission  text        not null,
    changed_by_submission  text        not null,

    constraint refusal_pkey primary key (tenant_code, patient_key, dose_key)
);

-- All that is known of patients without consent is here, and nowhere else (T62).
create table store.held_dose (
    tenant_code      text        not null,
    patient_key      text        not null,
    dose_key         text        not null,
    is_refusal       boolean     not null,
    -- The order in which they are released.
    held_no          bigint      not null generated always as identity,
    action           text        not null,
    cvx              text,
    administered_on  date,
    is_given         boolean     not null,
    fingerprint      uuid        not null,
    payload          jsonb       not null,
    reported_at      timestamptz not null,
    held_at          timestamptz not null,
    submission_id    text        not null,

    constraint held_dose_pkey primary key (tenant_code, patient_key, dose_key),
    constraint held_dose_action_check check (action in ('A', 'U'))
);
create index held_dose_held_idx on store.held_dose (tenant_code, held_at);

create table store.held_identifier (
    tenant_code  text    not null,
    authority    text    not null,
    identifier   text    not null,
    type         text    not null,
    patient_key  text    not null,
    is_primary   boolean not null,

    constraint held_identifier_pkey primary key (tenant_code, authority, identifier, type)
);
create index held_identifier_patient_idx on store.held_identifier (tenant_code, patient_key);

-- An older message does not bring a deleted dose back.
create table store.dose_deletion (
    tenant_code  text        not null,
    patient_key  text        not null,
    dose_key     text        not null,
    reported_at  timestamptz not null,
    marked_at    timestamptz not null,

    constraint dose_deletion_pkey primary key (tenant_code, patient_key, dose_key)
);
create index dose_deletion_marked_idx on store.dose_deletion (tenant_code, marked_at);

-- Nothing is ever changed here: the newest record decides, and the older ones say since when.
create table store.consent (
    tenant_code     text        not null,
    consent_no      bigint      not null generated always as identity,
    authority       text        not null,
    identifier      text        not null,
    last_name       text        not null,
    first_name      text        not null,
    -- Case and accents folded.
    last_name_key   text        not null,
    first_name_key  text        not null,
    birth_on        date,
    type            text        not null,
    status          text        not null,
    consented_on    date        not null,
    recorded_at     timestamptz not null,
    source          text        not null,

    constraint consent_pkey primary key (tenant_code, consent_no),
    constraint consent_type_check check (type in ('CHILD', 'ADULT')),
    constraint consent_status_check check (status in ('YES', 'NO', 'PENDING', 'WITHDRAWN')),
    constraint consent_key_check check (
        identifier <> '' or last_name <> '' and first_name <> '' and birth_on is not null
    )
);
create index consent_identifier_idx on store.consent (tenant_code, authority, identifier);
create index consent_person_idx on store.consent (tenant_code, last_name_key, first_name_key, birth_on);
"""

_DOWN = """
drop table store.consent, store.dose_deletion, store.held_identifier, store.held_dose, store.refusal,
    store.observation, store.dose, store.patient_identifier, store.patient;
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(_UP)


def downgrade() -> None:
    """Drop them with all their rows."""
    op.execute(_DOWN)
