-- What people allowed OAuth clients: an ordinary token that the client renews.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- A connection begins as a code that is good for a minute. Who redeems it gets an
-- access token, whose row is an ordinary one in tokens, and a refresh token that
-- is replaced by each renewal. previous_hash is the refresh token before.
create table oauth_connections (
  tenant_id uuid not null,
  id uuid not null,
  member_id uuid not null,
  client_id text not null,
  client_name text not null,
  redirect_uri text not null,
  challenge text not null,
  resource text not null,
  grants jsonb not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  code_hash bytea not null,
  code_until timestamptz not null,
  redeemed_at timestamptz,
  token_id uuid,
  refresh_hash bytea,
  previous_hash bytea,
  refreshed_at timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, code_hash),
  unique (tenant_id, refresh_hash),
  unique (tenant_id, previous_hash),
  unique (tenant_id, token_id),
  foreign key (tenant_id, member_id) references members (tenant_id, id),
  foreign key (tenant_id, token_id) references tokens (tenant_id, id)
);
select colaflow_distribute('oauth_connections', 'tenant');
select colaflow_protect('oauth_connections', 'select, insert, update, delete');
