-- Suspending, deleting and purging tenants.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- A deleted tenant keeps its rows until delete_after; purged_at says that none
-- are left. Its row in tenants stays, so that the slug is never used again.
alter table tenants add column delete_after timestamptz, add column purged_at timestamptz;

-- hold keeps a tenant in its state until the transaction ends: every write takes
-- it before it commits, and whoever suspends or deletes the tenant waits for them.
-- +goose StatementBegin
create function hold(p_tenant uuid) returns void language plpgsql as $$
declare
  v_state text;
begin
  perform pg_advisory_xact_lock_shared(hashtextextended(p_tenant::text, 0));
  select t.state into v_state from tenants t where t.id = p_tenant;
  if v_state = 'suspended' then
    raise exception 'tenant is suspended' using errcode = 'CF403';
  elsif v_state is distinct from 'active' then
    raise exception 'no such tenant' using errcode = 'CF401';
  end if;
end $$;
-- +goose StatementEnd

-- hold_alone waits for the writes that hold the tenant, and keeps others waiting.
-- +goose StatementBegin
create function hold_alone(p_tenant uuid) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(p_tenant::text, 0));
end $$;
-- +goose StatementEnd

-- enter_closed is enter for operators who look at a tenant in any state: they
-- export what is suspended, or deleted and not yet purged.
-- +goose StatementBegin
create function enter_closed(p_tenant uuid) returns void language plpgsql as $$
begin
  perform from tenants t where t.id = p_tenant and t.purged_at is null;
  if not found then
    raise exception 'no such tenant' using errcode = 'CF401';
  end if;
  perform colaflow_scope(p_tenant, 'all');
end $$;
-- +goose StatementEnd

-- colaflow_purgeable lets the owner see and delete the rows of one tenant, the
-- one that purge_tenant names: row-level security is forced on the owner too.
-- +goose StatementBegin
create function colaflow_purgeable(p_table text) returns void language plpgsql as $$
declare
  v_rule text := 'tenant_id = nullif(current_setting(''app.purge_tenant'', true), '''')::uuid';
begin
  execute format('create policy purge_find on %I for select to %I using (%s)', p_table, current_user, v_rule);
  execute format('create policy purge on %I for delete to %I using (%s)', p_table, current_user, v_rule);
end $$;
-- +goose StatementEnd

alter function colaflow_protect(text, text, text[]) rename to colaflow_protect_rows;
-- +goose StatementBegin
create function colaflow_protect(p_table text, p_privileges text, variadic p_project_columns text[] default '{}') returns void
language plpgsql as $$
begin
  perform colaflow_protect_rows(p_table, p_privileges, variadic p_project_columns);
  perform colaflow_purgeable(p_table);
end $$;
-- +goose StatementEnd
revoke execute on function colaflow_purgeable(text), colaflow_protect(text, text, text[]) from public;

-- +goose StatementBegin
do $$ declare v_table text; begin
  for v_table in
    select c.relname from pg_class c join pg_policy p on p.polrelid = c.oid and p.polname = 'tenant'
    where c.relnamespace = 'public'::regnamespace and not c.relispartition order by 1
  loop
    perform colaflow_purgeable(v_table);
  end loop;
end $$;
-- +goose StatementEnd

-- purge_tenant deletes up to p_limit rows of a deleted tenant whose grace is over,
-- and returns how many; 0 means that none are left, null that it is not due.
-- The tables come from the catalogue, so that a new one cannot be forgotten; one
-- that rows of others point to waits for those, and a row for the rows below it.
-- +goose StatementBegin
create function purge_tenant(p_tenant uuid, p_limit int) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_table regclass;
  v_any boolean;
  v_filled regclass[] := '{}';
  v_below text;
  v_rows bigint;
begin
  perform hold_alone(p_tenant);
  perform from tenants t where t.id = p_tenant and t.state = 'deleted' and t.delete_after <= now();
  if not found then
    return null;
  end if;
  set local citus.propagate_set_commands to 'local';
  execute format('set local app.purge_tenant = %L', p_tenant::text);
  for v_table in
    select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by c.relname
  loop
    execute format('select exists (select from %s where tenant_id = $1)', v_table) into v_any using p_tenant;
    if v_any then
      v_filled := v_filled || v_table;
    end if;
  end loop;
  if v_filled = '{}' then
    update tenants set purged_at = coalesce(purged_at, now()) where id = p_tenant;
    return 0;
  end if;
  select f into v_table from unnest(v_filled) f where not exists (
    select from pg_constraint k where k.contype = 'f' and k.confrelid = f and k.conrelid <> f and k.conrelid = any(v_filled)) limit 1;
  if v_table is null then
    raise exception 'tables point to each other in a circle: %', v_filled;
  end if;
  select string_agg(format(' and not exists (select from %s r where r.tenant_id = x.tenant_id and r.%I = x.%I)', v_table, a.attname, f.attname), '')
  into v_below
  from pg_constraint k
  join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[2]
  join pg_attribute f on f.attrelid = k.confrelid and f.attnum = k.confkey[2]
  where k.contype = 'f' and k.conrelid = v_table and k.confrelid = v_table;
  execute format('delete from %1$s where tenant_id = $1 and ctid = any(array(
    select x.ctid from %1$s x where x.tenant_id = $1%2$s limit $2))', v_table, v_below) using p_tenant, p_limit;
  get diagnostics v_rows = row_count;
  if v_rows = 0 then -- what is left is a circle of rows, which goes in one statement
    execute format('delete from %s where tenant_id = $1', v_table) using p_tenant;
    get diagnostics v_rows = row_count;
  end if;
  return v_rows;
end $$;
-- +goose StatementEnd
revoke execute on function purge_tenant(uuid, int) from public;
grant execute on function purge_tenant(uuid, int) to colaflow_app;

-- A purge asks for the replies below each comment.
create index comments_by_reply on comments (tenant_id, reply_to) where reply_to is not null;
