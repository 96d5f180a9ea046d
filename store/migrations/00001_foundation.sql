-- Helpers that every later migration uses, and the tables that must be readable
-- before a tenant is known: tenants and installation. They hold no secrets.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

revoke create on schema public from public;

-- colaflow_distribute places a table on Citus ('tenant' or 'reference'); on
-- plain PostgreSQL it does nothing.
-- +goose StatementBegin
create function colaflow_distribute(p_table text, p_kind text) returns void language plpgsql as $$
begin
  if not exists (select from pg_extension where extname = 'citus') then
    return;
  end if;
  if p_kind = 'reference' then
    execute format('select create_reference_table(%L)', p_table);
  else
    execute format('select create_distributed_table(%L, ''tenant_id'')', p_table);
  end if;
end $$;
-- +goose StatementEnd

-- colaflow_protect puts the one policy of the house on a table: the row's tenant
-- is the transaction's tenant, and every project column that is set is within
-- the token's projects. Missing settings give no rows.
-- +goose StatementBegin
create function colaflow_protect(p_table text, p_privileges text, variadic p_project_columns text[] default '{}') returns void
language plpgsql as $$
declare
  v_rule text := 'tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
  v_column text;
begin
  foreach v_column in array p_project_columns loop
    v_rule := v_rule || format(
      ' and (current_setting(''app.only_projects'', true) = ''all'''
      ' or strpos(current_setting(''app.only_projects'', true), %I::text) > 0)', v_column);
  end loop;
  execute format('alter table %I enable row level security', p_table);
  execute format('alter table %I force row level security', p_table);
  execute format('create policy tenant on %I for all to colaflow_app using (%s) with check (%s)', p_table, v_rule, v_rule);
  execute format('grant %s on %I to colaflow_app', p_privileges, p_table);
end $$;
-- +goose StatementEnd

-- colaflow_scope sets what the policies read, for this transaction. On Citus
-- set_config() would not reach the workers, and SET LOCAL with propagation does;
-- elsewhere it is ten times cheaper. citus.shard_count exists where Citus is loaded.
-- +goose StatementBegin
create function colaflow_scope(p_tenant uuid, p_projects text) returns void language plpgsql as $$
begin
  if current_setting('citus.shard_count', true) is null then
    perform set_config('app.tenant_id', coalesce(p_tenant::text, ''), true), set_config('app.only_projects', p_projects, true);
  else
    set local citus.propagate_set_commands to 'local';
    execute format('set local app.tenant_id = %L', coalesce(p_tenant::text, ''));
    execute format('set local app.only_projects = %L', p_projects);
  end if;
end $$;
-- +goose StatementEnd

revoke execute on function colaflow_distribute(text, text), colaflow_protect(text, text, text[]) from public;

create table tenants (
  id uuid primary key,
  slug text not null unique,
  state text not null default 'active' check (state in ('active', 'suspended', 'deleted')),
  plan text not null default 'free' check (plan in ('free', 'team', 'enterprise')),
  created_at timestamptz not null default now()
);
select colaflow_distribute('tenants', 'reference');
grant select, insert, update on tenants to colaflow_app;

create table installation (
  id int primary key check (id = 1),
  key_check bytea not null,
  created_at timestamptz not null default now()
);
grant select, insert on installation to colaflow_app;

create table tenant_settings (
  tenant_id uuid primary key references tenants (id),
  name text not null,
  updated_at timestamptz not null default now()
);
select colaflow_distribute('tenant_settings', 'tenant');
select colaflow_protect('tenant_settings', 'select, insert, update');
