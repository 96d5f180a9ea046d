-- Sessions that any replaced refresh token ends.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- family_hash is of the part of the refresh token that renewals keep: it finds the
-- session of a token that was replaced long ago. Sessions without one cannot be renewed.
alter table sessions
  add column family_hash bytea,
  add column ended_why text;

create unique index sessions_by_family on sessions (tenant_id, family_hash);
