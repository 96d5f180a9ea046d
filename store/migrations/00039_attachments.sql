-- Files that belong to issues. Each is small enough to travel in one message, and lies
-- beside what it is about: it moves, is backed up and is deleted with it.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

create table attachments (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  issue_id uuid not null,
  author_id uuid,
  token_id uuid,
  name text not null check (name <> ''),
  type text not null,
  size int not null check (size between 1 and 716800),
  sha256 bytea not null check (octet_length(sha256) = 32),
  content bytea not null,
  created_at timestamptz not null,
  check (octet_length(content) = size),
  primary key (tenant_id, id),
  foreign key (tenant_id, issue_id) references issues (tenant_id, id) on delete cascade,
  foreign key (tenant_id, author_id) references members (tenant_id, id)
);
select colaflow_distribute('attachments', 'tenant');
create index attachments_by_issue on attachments (tenant_id, issue_id, created_at, id);
select colaflow_protect('attachments', 'select, insert, delete', 'project_id');

-- Kept exact by every write, and counted anew with the texts. Who adds a file holds
-- the row until the commit, so that two cannot both take the last place.
alter table tenant_usage add column attachment_bytes bigint not null default 0;
