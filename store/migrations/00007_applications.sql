-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- Signing keys, sealed under the master key. A retired key verifies nothing.
create table signing_keys (
  tenant_id uuid not null,
  id uuid not null,
  sealed text not null,
  created_at timestamptz not null,
  retires_at timestamptz,
  primary key (tenant_id, id)
);
select colaflow_distribute('signing_keys', 'tenant');
select colaflow_protect('signing_keys', 'select, insert, update');

-- One-time links that were used, until they would have expired anyway.
create table spent_nonces (
  tenant_id uuid not null,
  nonce uuid not null,
  expires_at timestamptz not null,
  primary key (tenant_id, nonce)
);
select colaflow_distribute('spent_nonces', 'tenant');
create index spent_nonces_by_expiry on spent_nonces (tenant_id, expires_at);
select colaflow_protect('spent_nonces', 'select, insert, delete');

-- Rendered reports that agents hand to people.
create table pages (
  tenant_id uuid not null,
  id uuid not null,
  title text not null,
  content bytea not null,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, id)
);
select colaflow_distribute('pages', 'tenant');
create index pages_by_expiry on pages (tenant_id, expires_at);
select colaflow_protect('pages', 'select, insert, delete');
