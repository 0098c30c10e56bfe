"""Keep what goes out: deliveries, how far each export has come, partners' answers, wished reports.

Tombstones tell of deliveries too.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UP = """
create table ledger.delivery (
    delivery_id       text        not null,
    seq               bigint      not null generated always as identity,
    tenant_code       text        not null,
    export_name       text        not null,
    report            text        not null,
    report_version    integer     not null,
    content           text        not null,
    policy_sha256     text        not null,
    due_at            timestamptz,
    state             text        not null,
    since_position    bigint,
    until_position    bigint,
    rows_total        bigint,
    file_name         text        not null default '',
    archive_path      text        not null default '',
    sha256            text        not null default '',
    size_bytes        bigint,
    keys_path         text        not null default '',
    keys_sha256       text        not null default '',
    delivered_name    text        not null default '',
    home_folder       text        not null default '',
    place             text        not null default '',
    attempts          integer     not null default 0,
    next_attempt_at   timestamptz,
    fault_code        text        not null default '',
    fault_message     text        not null default '',
    opened_at         timestamptz not null,
    written_at        timestamptz,
    delivered_at      timestamptz,
    answered_at       timestamptz,
    closed_at         timestamptz,
    purged_at         timestamptz,

    constraint delivery_pkey primary key (delivery_id),
    constraint delivery_seq_key unique (seq),
    constraint delivery_content_check check (content in ('full', 'delta')),
    constraint delivery_state_check check (state in (
        'selected', 'written', 'uploaded', 'dead', 'delivered', 'confirmed', 'refused', 'abandoned'
    )),
    constraint delivery_positions_check check (
        (since_position is null) = (until_position is null) and since_position <= until_position
    ),
    constraint delivery_file_check check (
        state in ('selected', 'abandoned')
        or (archive_path <> '' and sha256 ~ '^[0-9a-f]{64}$' and size_bytes >= 0 and rows_total >= 0)
        or (state = 'dead' and archive_path = '')
    ),
    constraint delivery_delivered_check check (
        (state in ('delivered', 'confirmed', 'refused')) = (delivered_at is not null)
    ),
    constraint delivery_purged_check check (
        purged_at is null or state in ('delivered', 'confirmed', 'refused', 'abandoned')
    )
);
-- One open delivery per export: of two workers at once, one opens it and both work on the same file.
create unique index delivery_open_key on ledger.delivery (tenant_code, export_name)
    where state in ('selected', 'written', 'uploaded', 'dead');
-- A time of the schedule is served once, whatever clocks and backfills do.
create unique index delivery_due_key on ledger.delivery (tenant_code, export_name, due_at)
    where state <> 'abandoned';
create index delivery_tenant_idx on ledger.delivery (tenant_code, export_name, seq);
create index delivery_name_idx on ledger.delivery (tenant_code, delivered_name) where delivered_name <> '';

create table ledger.export_cursor (
    tenant_code  text        not null,
    export_name  text        not null,
    report       text        not null,
    position     bigint,
    delivery_id  text        not null,
    moved_at     timestamptz not null,

    constraint export_cursor_pkey primary key (tenant_code, export_name),
    constraint export_cursor_delivery_fkey foreign key (delivery_id)
        references ledger.delivery (delivery_id)
);

create table ledger.delivery_answer (
    answer_id    text        not null,
    tenant_code  text        not null,
    export_name  text        not null default '',
    delivery_id  text,
    place        text        not null,
    file_name    text        not null,
    sha256       text        not null,
    modified_at  timestamptz not null,
    verdict      text        not null,
    comment      text        not null default '',
    received_at  timestamptz not null,

    constraint delivery_answer_pkey primary key (answer_id),
    constraint delivery_answer_delivery_fkey foreign key (delivery_id)
        references ledger.delivery (delivery_id),
    constraint delivery_answer_verdict_check check (verdict in ('accepted', 'refused', 'unreadable')),
    -- With the time: where each file has the same name, each confirmation of it is the same empty file.
    constraint delivery_answer_once_key unique (tenant_code, place, file_name, sha256, modified_at)
);
create index delivery_answer_tenant_idx on ledger.delivery_answer (tenant_code, received_at);
create index delivery_answer_delivery_idx on ledger.delivery_answer (delivery_id);

create table ledger.report_request (
    request_id    text        not null,
    tenant_code   text        not null,
    wanted        text        not null,
    report        text        not null default '',
    parameters    jsonb       not null default '{}',
    requested_by  text        not null,
    requested_at  timestamptz not null,
    closed_at     timestamptz,
    closed_by     text,
    answer        text        not null default '',

    constraint report_request_pkey primary key (request_id),
    constraint report_request_closed_check check ((closed_at is null) = (closed_by is null))
);
create index report_request_tenant_idx on ledger.report_request (tenant_code, request_id);

alter table ledger.tombstone
    add column delivery_id text,
    add constraint tombstone_delivery_fkey foreign key (delivery_id) references ledger.delivery (delivery_id);
create index tombstone_delivery_idx on ledger.tombstone (delivery_id) where delivery_id is not null;

alter table ledger.mail
    drop constraint mail_event_check,
    add constraint mail_event_check check (event in (
        'success', 'findings', 'refusal', 'failure', 'suspended', 'quota', 'delivered', 'delivery-failed',
        'delivery-refused', 'delivery-unanswered', 'target-warning', 'report-wanted'
    ));
"""

_DOWN = """
delete from ledger.mail where event in (
    'delivered', 'delivery-failed', 'delivery-refused', 'delivery-unanswered', 'target-warning',
    'report-wanted'
);
alter table ledger.mail
    drop constraint mail_event_check,
    add constraint mail_event_check check (
        event in ('success', 'findings', 'refusal', 'failure', 'suspended', 'quota')
    );
alter table ledger.tombstone drop column delivery_id;
drop table ledger.report_request;
drop table ledger.delivery_answer;
drop table ledger.export_cursor;
drop table ledger.delivery;
"""


def upgrade() -> None:
    """Add the tables."""
    op.execute(_UP)


def downgrade() -> None:
    """Remove them."""
    op.execute(_DOWN)
