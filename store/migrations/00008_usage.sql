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

-- within_plan raises CF413 if a tenant holds more than its plan allows: p_limits is
-- the limit of each plan, 0 for none. Here and not in Go, because the check may
-- travel in the same trip as the commit that it must prevent.
-- +goose StatementBegin
create function within_plan(p_tenant uuid, p_quota text, p_held bigint, p_limits jsonb) returns void language plpgsql as $$
declare
  v_plan text;
  v_limit bigint;
begin
  select t.plan into v_plan from tenants t where t.id = p_tenant;
  v_limit := (p_limits ->> v_plan)::bigint;
  if v_limit > 0 and p_held > v_limit then
    raise exception '%', p_quota using errcode = 'CF413', detail = v_plan, hint = p_held::text;
  end if;
end $$;
-- +goose StatementEnd
