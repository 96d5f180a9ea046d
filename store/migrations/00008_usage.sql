-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- What a tenant's texts take, counted every few minutes: an estimate for the
-- limit of its plan that costs writers one look.
create table tenant_usage (
  tenant_id uuid not null primary key,
  text_bytes bigint not null,
  counted_at timestamptz not null
);
select colaflow_distribute('tenant_usage', 'tenant');
select colaflow_protect('tenant_usage', 'select, insert, update');
