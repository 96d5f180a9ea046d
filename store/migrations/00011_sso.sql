-- People who sign in with their company's identity provider.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- A tenant's connections to identity providers. Secrets are sealed under the
-- master key. ceiling is the role of who saved it last: it lets in nobody above.
create table sso_providers (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  title text not null,
  protocol text not null check (protocol in ('oidc', 'saml')),
  enabled boolean not null default false,
  ceiling text not null check (ceiling in ('admin', 'owner')),
  settings jsonb not null,
  sealed text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, name)
);
select colaflow_distribute('sso_providers', 'tenant');
select colaflow_protect('sso_providers', 'select, insert, update, delete');

-- Who a member is at a provider. The e-mail address is what the provider said
-- last; it identifies nobody.
create table identities (
  tenant_id uuid not null,
  provider_id uuid not null,
  issuer text not null,
  subject text not null,
  member_id uuid not null,
  email text,
  created_at timestamptz not null,
  last_sign_in_at timestamptz not null,
  primary key (tenant_id, provider_id, issuer, subject),
  foreign key (tenant_id, provider_id) references sso_providers (tenant_id, id),
  foreign key (tenant_id, member_id) references members (tenant_id, id)
);
select colaflow_distribute('identities', 'tenant');
create index identities_by_member on identities (tenant_id, member_id);
select colaflow_protect('identities', 'select, insert, update, delete');

-- What may happen once in a sign-in: ids that were spent, and with sealed set the
-- results that wait for a browser.
create table sso_replay (
  tenant_id uuid not null,
  id text not null,
  sealed text,
  expires_at timestamptz not null,
  primary key (tenant_id, id)
);
select colaflow_distribute('sso_replay', 'tenant');
create index sso_replay_by_expiry on sso_replay (tenant_id, expires_at);
select colaflow_protect('sso_replay', 'select, insert, delete');

-- sso_required: only owners may sign in without the identity provider.
alter table tenant_settings add column sso_required boolean not null default false;
