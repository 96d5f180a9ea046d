-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

create table members (
  tenant_id uuid not null,
  id uuid not null,
  handle text not null,
  email text,
  name text not null,
  role text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  state text not null check (state in ('active', 'imported', 'invited', 'disabled')),
  epoch bigint not null default 1,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, handle),
  unique (tenant_id, email)
);
select colaflow_distribute('members', 'tenant');
select colaflow_protect('members', 'select, insert, update');

-- scope is what row-level security reads: 'all', 'none', or the ids of the
-- token's projects, comma-separated. It is kept equal to grants->only_projects.
-- previous_hash is the secret before a rotation, which works until previous_until.
-- A token that ended long ago loses its hash (removed_at); its name stays, because
-- the history of issues refers to it.
create table tokens (
  tenant_id uuid not null,
  id uuid not null,
  hash bytea,
  hint text not null,
  previous_hash bytea,
  previous_until timestamptz,
  name text not null,
  member_id uuid,
  role text check (role in ('viewer', 'member', 'admin', 'owner')),
  grants jsonb not null,
  scope text not null,
  allowed_ips cidr[] not null default '{}',
  epoch bigint not null default 1,
  expires_at timestamptz,
  revoked_at timestamptz,
  rotated_at timestamptz,
  removed_at timestamptz,
  created_by uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, hash),
  unique (tenant_id, previous_hash),
  foreign key (tenant_id, member_id) references members (tenant_id, id),
  check ((member_id is null) <> (role is null)),
  check (hash is not null or removed_at is not null),
  check ((previous_hash is null) = (previous_until is null))
);
select colaflow_distribute('tokens', 'tenant');
create index tokens_by_member on tokens (tenant_id, member_id);
select colaflow_protect('tokens', 'select, insert, update');

-- Apart from tokens, so that use never touches the row that enter() checks.
create table token_usage (
  tenant_id uuid not null,
  token_id uuid not null,
  last_used_at timestamptz not null,
  last_ip text,
  primary key (tenant_id, token_id),
  foreign key (tenant_id, token_id) references tokens (tenant_id, id)
);
select colaflow_distribute('token_usage', 'tenant');
select colaflow_protect('token_usage', 'select, insert, update');

-- enter opens a transaction for one subject of one tenant: it sets the tenant
-- and the projects in reach, and raises CF401 unless the subject is active at
-- this epoch, CF403 if the tenant is suspended. Kinds: token, previous (a token by
-- the secret before its rotation), member, system.
-- +goose StatementBegin
create function enter(p_tenant uuid, p_kind text, p_subject uuid, p_epoch bigint) returns void
language plpgsql as $$
declare
  v_scope text;
begin
  perform colaflow_scope(p_tenant, 'none');
  case p_kind
  when 'token', 'previous' then
    select t.scope into v_scope
    from tokens t left join members m on m.tenant_id = p_tenant and m.id = t.member_id
    where t.tenant_id = p_tenant and t.id = p_subject
      and t.epoch + coalesce(m.epoch, 0) = p_epoch
      and t.revoked_at is null
      and (t.expires_at is null or t.expires_at > now())
      and (p_kind = 'token' or t.previous_until > now())
      and (t.member_id is null or m.state = 'active')
      and exists (select from tenants n where n.id = p_tenant and n.state = 'active');
  when 'member' then
    select 'all' into v_scope from members m
    where m.tenant_id = p_tenant and m.id = p_subject and m.epoch = p_epoch and m.state = 'active'
      and exists (select from tenants n where n.id = p_tenant and n.state = 'active');
  when 'system' then
    select 'all' into v_scope from tenants n where n.id = p_tenant and n.state = 'active';
  end case;
  if v_scope is null then
    if exists (select from tenants n where n.id = p_tenant and n.state = 'suspended') then
      raise exception 'tenant is suspended' using errcode = 'CF403';
    end if;
    raise exception 'token, member or tenant is not active' using errcode = 'CF401';
  end if;
  perform colaflow_scope(p_tenant, v_scope);
end $$;
-- +goose StatementEnd

-- recheck is the last word before a write commits: it locks the subject's row,
-- so that a revocation either is seen here or waits for this commit.
-- +goose StatementBegin
create function recheck(p_tenant uuid, p_kind text, p_subject uuid, p_epoch bigint) returns void
language plpgsql as $$
declare
  v_member uuid;
  v_epoch bigint := 0;
  v_active boolean := true;
begin
  if p_kind = 'system' then
    return;
  elsif p_kind in ('token', 'previous') then
    select t.member_id, t.epoch, t.revoked_at is null and (t.expires_at is null or t.expires_at > clock_timestamp())
      and (p_kind = 'token' or t.previous_until > clock_timestamp())
    into v_member, v_epoch, v_active
    from tokens t where t.tenant_id = p_tenant and t.id = p_subject for share;
  else
    v_member := p_subject;
  end if;
  if v_member is not null and v_active then
    select v_epoch + m.epoch, m.state = 'active' into v_epoch, v_active
    from members m where m.tenant_id = p_tenant and m.id = v_member for share;
  end if;
  if v_active is not true or v_epoch is distinct from p_epoch then
    raise exception 'token or member is not active' using errcode = 'CF401';
  end if;
  perform from tenants t where t.id = p_tenant and t.state = 'active';
  if not found then
    raise exception 'tenant is suspended' using errcode = 'CF403';
  end if;
end $$;
-- +goose StatementEnd

-- authenticate finds an active token by tenant slug and hash, inside its tenant.
-- No row: unknown, revoked, expired, or its owner may not act. o_expires and
-- o_seconds (what is left) are those of the secret that was given.
-- +goose StatementBegin
create function authenticate(p_slug text, p_hash bytea)
returns table (o_tenant uuid, o_state text, o_plan text, o_token uuid, o_name text, o_grants jsonb, o_epoch bigint, o_expires timestamptz,
               o_seconds double precision, o_replaced boolean, o_networks cidr[], o_role text, o_member uuid, o_member_name text,
               o_member_email text)
language plpgsql as $$
declare
  v_tenant tenants%rowtype;
begin
  select * into v_tenant from tenants t where t.slug = p_slug and t.state <> 'deleted';
  if not found then
    return;
  end if;
  perform colaflow_scope(v_tenant.id, 'none');
  return query
    select v_tenant.id, v_tenant.state, v_tenant.plan, t.id, t.name, t.grants, t.epoch + coalesce(m.epoch, 0), t.ends,
           extract(epoch from t.ends - now())::double precision, t.hash <> p_hash, t.allowed_ips,
           coalesce(m.role, t.role), m.id, m.name, coalesce(m.email, m.handle)
    from (select k.*, case when k.hash = p_hash then k.expires_at else least(k.expires_at, k.previous_until) end as ends
          from tokens k where k.tenant_id = v_tenant.id and (k.hash = p_hash or k.previous_hash = p_hash)) t
    left join members m on m.tenant_id = v_tenant.id and m.id = t.member_id
    where t.revoked_at is null
      and (t.ends is null or t.ends > now())
      and (t.member_id is null or m.state = 'active');
end $$;
-- +goose StatementEnd
