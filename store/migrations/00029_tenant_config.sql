-- What an admin has set of a tenant's Application; null means the default. The
-- bounds are those of the plan, in Go.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

alter table tenant_settings
  add column max_pages int,
  add column page_life interval,
  add column page_token_life interval,
  add column page_space bigint,
  add column memory bigint;

-- The cleanup removes keys that verify nothing any more.
grant delete on signing_keys to colaflow_app;
