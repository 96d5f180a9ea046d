-- Signed-in people.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- A session is renewed by a refresh token that each renewal replaces; previous_hash is
-- the one before.
create table sessions (
  tenant_id uuid not null,
  id uuid not null,
  member_id uuid not null,
  provider text not null,
  refresh_hash bytea not null,
  previous_hash bytea,
  user_agent text not null default '',
  client_ip text not null default '',
  created_at timestamptz not null default now(),
  renewed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, refresh_hash),
  unique (tenant_id, previous_hash),
  foreign key (tenant_id, member_id) references members (tenant_id, id)
);
select colaflow_distribute('sessions', 'tenant');
create index sessions_by_member on sessions (tenant_id, member_id);
create index sessions_by_expiry on sessions (tenant_id, expires_at);
select colaflow_protect('sessions', 'select, insert, update, delete');
