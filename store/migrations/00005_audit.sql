-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- One row for every authenticated call. The app role inserts and reads, never
-- changes. at is the node's time of the call; written_at is the database's time of
-- the transaction, by which the log is ordered, sealed and read. mac covers every
-- column but written_at, which the checkpoints cover; args and changes are json,
-- not jsonb, because it covers their very bytes.
-- Months are partitions (made ahead by db migrate) over a default one; nothing is
-- granted on a partition, because partitions carry no policy.
create table audit_log (
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  written_at timestamptz not null default now(),
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
  args json,
  changes json,
  request_id text,
  client_ip text,
  duration_us bigint,
  code text,
  bytes int,
  repeats int not null default 1,
  mac bytea not null,
  primary key (tenant_id, written_at, id)
) partition by range (written_at);
select colaflow_distribute('audit_log', 'tenant');
select colaflow_protect('audit_log', 'select, insert');
create table audit_log_default partition of audit_log default;
create index audit_log_by_token on audit_log (tenant_id, token_id, written_at);
create index audit_log_removals on audit_log (tenant_id, written_at) where method in ('audit.drop_before', 'audit.erase');

-- A checkpoint seals the rows of one tenant with from_at <= written_at < upto, in
-- the order of (written_at, id). contents holds 24 bytes for each: id, and
-- written_at in microseconds. mac covers every other column, and previous is the
-- mac of the checkpoint before.
create table audit_checkpoints (
  tenant_id uuid not null,
  seq bigint not null,
  from_at timestamptz not null,
  upto timestamptz not null,
  row_count int not null,
  contents bytea not null,
  digest bytea not null,
  previous bytea not null,
  sealed_at timestamptz not null,
  mac bytea not null,
  primary key (tenant_id, seq)
);
select colaflow_distribute('audit_checkpoints', 'tenant');
select colaflow_protect('audit_checkpoints', 'select, insert');

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

-- audit_append writes rows of several tenants in one transaction: per tenant it
-- enters and looks where the seal ends, per row it inserts and notes the token's
-- use; then it restores. No row goes below the seal, whatever the clock does.
-- +goose StatementBegin
create function audit_append(p_rows json) returns void language plpgsql as $$
declare
  v_before uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  v_projects text := coalesce(current_setting('app.only_projects', true), '');
  v_row record;
  v_tenant uuid;
  v_written timestamptz;
  v_used uuid;
begin
  for v_row in
    select r.* from json_to_recordset(p_rows) as r(
      tenant_id uuid, id uuid, at timestamptz, kind text, member_id uuid, actor text, token_id uuid, token_name text,
      client text, method text, tool text, decision text, rule text, target text, project_id uuid, args_digest bytea,
      args text, changes text, request_id text, client_ip text, duration_us bigint, code text, bytes int, repeats int, mac bytea)
    order by r.tenant_id, r.token_id, r.at desc
  loop
    if v_row.tenant_id is distinct from v_tenant then
      v_tenant := v_row.tenant_id;
      perform colaflow_scope(v_tenant, v_projects);
      select greatest(now(), max(c.upto)) into v_written from (
        select k.upto from audit_checkpoints k where k.tenant_id = v_tenant order by k.seq desc limit 1) c;
    end if;
    insert into audit_log (tenant_id, id, at, written_at, kind, member_id, actor, token_id, token_name, client, method, tool, decision,
      rule, target, project_id, args_digest, args, changes, request_id, client_ip, duration_us, code, bytes, repeats, mac)
    values (v_row.tenant_id, v_row.id, v_row.at, v_written, v_row.kind, v_row.member_id, v_row.actor, v_row.token_id, v_row.token_name,
      v_row.client, v_row.method, v_row.tool, v_row.decision, v_row.rule, v_row.target, v_row.project_id, v_row.args_digest,
      v_row.args::json, v_row.changes::json, v_row.request_id, v_row.client_ip, v_row.duration_us, v_row.code, v_row.bytes,
      v_row.repeats, v_row.mac);
    if v_row.token_id is distinct from v_used and v_row.token_id is not null and not exists (
      select from token_usage u where u.tenant_id = v_row.tenant_id and u.token_id = v_row.token_id
        and u.last_used_at > v_row.at - interval '1 minute') then
      insert into token_usage as u (tenant_id, token_id, last_used_at, last_ip)
      values (v_row.tenant_id, v_row.token_id, v_row.at, v_row.client_ip)
      on conflict (tenant_id, token_id) do update set last_used_at = excluded.last_used_at, last_ip = excluded.last_ip;
    end if;
    v_used := v_row.token_id;
  end loop;
  if v_tenant is distinct from v_before then
    perform colaflow_scope(v_before, v_projects);
  end if;
end $$;
-- +goose StatementEnd

-- audit_boundary begins to seal a tenant's rows: it enters the tenant, in whatever
-- state, and returns the time below which no row can appear any more. That is the
-- start of the oldest transaction that runs as the runtime role, and p_lag ago at
-- most, for one that has just begun and is not to be seen yet. Null: another node
-- is sealing this tenant.
-- +goose StatementBegin
create function audit_boundary(p_tenant uuid, p_lag interval) returns timestamptz language plpgsql as $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended('audit ' || p_tenant, 0)) then
    return null;
  end if;
  set local citus.propagate_set_commands to 'local';
  execute format('set local app.tenant_id = %L', p_tenant::text);
  return least(clock_timestamp() - p_lag, (
    select min(a.xact_start) from pg_stat_activity a
    where a.datname = current_database() and a.usename = current_user and a.pid <> pg_backend_pid()));
end $$;
-- +goose StatementEnd

-- audit_drop_before removes what a tenant's checkpoints sealed before a time, and
-- those checkpoints but the last, which stays as the anchor of what follows. It
-- runs as the owner, who sees and deletes what app.purge_tenant names (00006);
-- colaflow audit drop-before calls it, and writes the row without which
-- verification takes the gap for tampering. No row: there is nothing so old.
-- +goose StatementBegin
create function audit_drop_before(p_tenant uuid, p_before timestamptz)
returns table (o_anchor bigint, o_upto timestamptz, o_rows bigint) language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('audit ' || p_tenant, 0));
  set local citus.propagate_set_commands to 'local';
  execute format('set local app.purge_tenant = %L', p_tenant::text);
  select c.seq, c.upto into o_anchor, o_upto from audit_checkpoints c
  where c.tenant_id = p_tenant and c.upto <= p_before order by c.seq desc limit 1;
  if o_anchor is null then
    return;
  end if;
  delete from audit_log l where l.tenant_id = p_tenant and l.written_at < o_upto;
  get diagnostics o_rows = row_count;
  delete from audit_checkpoints c where c.tenant_id = p_tenant and c.seq < o_anchor;
  return next;
end $$;
-- +goose StatementEnd
revoke execute on function audit_drop_before(uuid, timestamptz) from public;

-- audit_erase is audit_drop_before for all that is sealed.
-- +goose StatementBegin
create function audit_erase(p_tenant uuid)
returns table (o_anchor bigint, o_upto timestamptz, o_rows bigint) language plpgsql as $$
begin
  return query select * from audit_drop_before(p_tenant, 'infinity');
end $$;
-- +goose StatementEnd
revoke execute on function audit_erase(uuid) from public;

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
