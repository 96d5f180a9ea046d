-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- One row for every authenticated call. The app role inserts and reads, never
-- changes. Months are partitions (made ahead by db migrate) over a default one;
-- nothing is granted on a partition, because partitions carry no policy.
create table audit_log (
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  kind text not null,
  member_id uuid,
  actor text not null,
  token_id uuid,
  token_name text,
  client text,
  method text not null,
  tool text,
  decision text not null check (decision in ('allowed', 'denied', 'failed')),
  rule text,
  target text,
  project_id uuid,
  args_digest bytea,
  args jsonb,
  changes jsonb,
  request_id text,
  client_ip text,
  duration_us bigint,
  code text,
  bytes int,
  repeats int not null default 1,
  mac bytea,
  primary key (tenant_id, at, id)
) partition by range (at);
select colaflow_distribute('audit_log', 'tenant');
select colaflow_protect('audit_log', 'select, insert');
create table audit_log_default partition of audit_log default;
create index audit_log_by_token on audit_log (tenant_id, token_id, at);

-- colaflow_audit_months makes the partitions of the next p_months months.
-- +goose StatementBegin
create function colaflow_audit_months(p_months int) returns int language plpgsql as $$
declare
  v_from date;
  v_name text;
  v_made int := 0;
begin
  for v_i in 0 .. p_months loop
    v_from := (date_trunc('month', now() at time zone 'UTC') + make_interval(months => v_i))::date;
    v_name := 'audit_log_' || to_char(v_from, 'YYYYMM');
    if to_regclass('public.' || v_name) is null then
      execute format('create table %I partition of audit_log for values from (%L) to (%L)',
        v_name, v_from::text || ' 00:00:00+00', (v_from + interval '1 month')::date::text || ' 00:00:00+00');
      v_made := v_made + 1;
    end if;
  end loop;
  return v_made;
end $$;
-- +goose StatementEnd
revoke execute on function colaflow_audit_months(int) from public;
select colaflow_audit_months(24);

-- audit_append writes rows of several tenants in one transaction: per row it
-- sets the tenant, inserts, and notes the token's use; then it restores.
-- +goose StatementBegin
create function audit_append(p_rows jsonb) returns void language plpgsql as $$
declare
  v_before text := coalesce(current_setting('app.tenant_id', true), '');
  v_row record;
  v_used uuid;
begin
  set local citus.propagate_set_commands to 'local';
  for v_row in
    select r.* from jsonb_to_recordset(p_rows) as r(
      tenant_id uuid, id uuid, at timestamptz, kind text, member_id uuid, actor text, token_id uuid, token_name text,
      client text, method text, tool text, decision text, rule text, target text, project_id uuid, args_digest bytea,
      args jsonb, changes jsonb, request_id text, client_ip text, duration_us bigint, code text, bytes int, repeats int)
    order by r.tenant_id, r.token_id, r.at desc
  loop
    execute format('set local app.tenant_id = %L', v_row.tenant_id::text);
    insert into audit_log (tenant_id, id, at, kind, member_id, actor, token_id, token_name, client, method, tool, decision,
      rule, target, project_id, args_digest, args, changes, request_id, client_ip, duration_us, code, bytes, repeats)
    values (v_row.tenant_id, v_row.id, v_row.at, v_row.kind, v_row.member_id, v_row.actor, v_row.token_id, v_row.token_name,
      v_row.client, v_row.method, v_row.tool, v_row.decision, v_row.rule, v_row.target, v_row.project_id, v_row.args_digest,
      v_row.args, v_row.changes, v_row.request_id, v_row.client_ip, v_row.duration_us, v_row.code, v_row.bytes,
      coalesce(v_row.repeats, 1));
    if v_row.token_id is distinct from v_used and v_row.token_id is not null and not exists (
      select from token_usage u where u.tenant_id = v_row.tenant_id and u.token_id = v_row.token_id
        and u.last_used_at > v_row.at - interval '1 minute') then
      insert into token_usage as u (tenant_id, token_id, last_used_at, last_ip)
      values (v_row.tenant_id, v_row.token_id, v_row.at, v_row.client_ip)
      on conflict (tenant_id, token_id) do update set last_used_at = excluded.last_used_at, last_ip = excluded.last_ip;
    end if;
    v_used := v_row.token_id;
  end loop;
  execute format('set local app.tenant_id = %L', v_before);
end $$;
-- +goose StatementEnd

-- The answer of a write under its key, for 24 hours, per token and tool.
create table idempotency_keys (
  tenant_id uuid not null,
  token_id uuid not null,
  tool text not null,
  key text not null,
  args_digest bytea not null,
  answer bytea,
  created_at timestamptz not null default now(),
  primary key (tenant_id, token_id, tool, key),
  foreign key (tenant_id, token_id) references tokens (tenant_id, id)
);
select colaflow_distribute('idempotency_keys', 'tenant');
create index idempotency_keys_by_age on idempotency_keys (tenant_id, created_at);
select colaflow_protect('idempotency_keys', 'select, insert, update, delete');
