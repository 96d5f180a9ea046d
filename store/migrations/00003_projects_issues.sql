-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

create table projects (
  tenant_id uuid not null,
  id uuid not null,
  key text not null,
  name text not null,
  description text not null default '',
  state text not null default 'active' check (state in ('active', 'archived')),
  lead_id uuid,
  template text not null,
  timezone text not null default 'UTC',
  workflow jsonb not null,
  issue_types jsonb not null,
  next_number int not null default 1,
  version int not null default 1,
  external_source text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  foreign key (tenant_id, lead_id) references members (tenant_id, id)
);
select colaflow_distribute('projects', 'tenant');
select colaflow_protect('projects', 'select, insert, update', 'id');

create table sprints (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  name text not null,
  goal text not null default '',
  state text not null default 'planned' check (state in ('planned', 'active', 'completed')),
  starts_on date,
  ends_on date,
  started_at timestamptz,
  completed_at timestamptz,
  version int not null default 1,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, project_id, name),
  foreign key (tenant_id, project_id) references projects (tenant_id, id)
);
select colaflow_distribute('sprints', 'tenant');
select colaflow_protect('sprints', 'select, insert, update', 'project_id');

create table issues (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  number int not null,
  title text not null,
  description text not null default '',
  type text not null,
  status text not null,
  category text not null check (category in ('todo', 'in_progress', 'done', 'cancelled')),
  open boolean not null generated always as (category in ('todo', 'in_progress')) stored,
  priority smallint not null default 3 check (priority between 1 and 4),
  assignee_id uuid,
  reporter_id uuid,
  points double precision,
  sprint_id uuid,
  parent_id uuid,
  due_date date,
  version int not null default 1,
  external_source text,
  external_id text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  started_at timestamptz,
  completed_at timestamptz,
  search tsvector generated always as (
    setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', left(description, 100000)), 'B')
  ) stored,
  primary key (tenant_id, id),
  unique (tenant_id, project_id, number),
  unique (tenant_id, project_id, external_source, external_id),
  foreign key (tenant_id, project_id) references projects (tenant_id, id),
  foreign key (tenant_id, assignee_id) references members (tenant_id, id),
  foreign key (tenant_id, reporter_id) references members (tenant_id, id),
  foreign key (tenant_id, sprint_id) references sprints (tenant_id, id),
  foreign key (tenant_id, parent_id) references issues (tenant_id, id)
);
select colaflow_distribute('issues', 'tenant');
-- Lists begin with the open issues that changed last. The added columns let the
-- policy and the exact totals be answered by the index alone.
create index issues_by_update on issues (tenant_id, open, updated_at desc, id desc) include (project_id, category);
create index issues_by_project on issues (tenant_id, project_id, open, updated_at desc, id desc) include (category);
create index issues_by_assignee on issues (tenant_id, assignee_id, open);
create index issues_by_sprint on issues (tenant_id, sprint_id);
create index issues_by_parent on issues (tenant_id, parent_id);
select colaflow_protect('issues', 'select, insert, update', 'project_id');

create table issue_labels (
  tenant_id uuid not null,
  project_id uuid not null,
  issue_id uuid not null,
  label text not null,
  folded text not null, -- in lower case, which is what filters compare; by Go, because lower() depends on the locale and keeps the index out
  primary key (tenant_id, issue_id, label),
  foreign key (tenant_id, issue_id) references issues (tenant_id, id)
);
select colaflow_distribute('issue_labels', 'tenant');
create index issue_labels_by_label on issue_labels (tenant_id, folded, issue_id) include (project_id, label);
select colaflow_protect('issue_labels', 'select, insert, delete', 'project_id');

create table comments (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  issue_id uuid not null,
  author_id uuid,
  token_id uuid,
  body text not null,
  reply_to uuid,
  external_id text,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, issue_id, external_id),
  foreign key (tenant_id, issue_id) references issues (tenant_id, id),
  foreign key (tenant_id, author_id) references members (tenant_id, id),
  foreign key (tenant_id, reply_to) references comments (tenant_id, id)
);
select colaflow_distribute('comments', 'tenant');
create index comments_by_issue on comments (tenant_id, issue_id, created_at, id);
select colaflow_protect('comments', 'select, insert', 'project_id');

-- A link points from the issue that blocks, relates to or duplicates to the
-- other one. Both ends must be in reach.
create table issue_links (
  tenant_id uuid not null,
  project_id uuid not null,
  from_id uuid not null,
  relation text not null check (relation in ('blocks', 'relates_to', 'duplicates')),
  to_project_id uuid not null,
  to_id uuid not null,
  created_at timestamptz not null,
  primary key (tenant_id, from_id, relation, to_id),
  foreign key (tenant_id, from_id) references issues (tenant_id, id),
  foreign key (tenant_id, to_id) references issues (tenant_id, id),
  check (from_id <> to_id)
);
select colaflow_distribute('issue_links', 'tenant');
create index issue_links_by_target on issue_links (tenant_id, to_id, relation);
select colaflow_protect('issue_links', 'select, insert, delete', 'project_id', 'to_project_id');

-- Append-only: history, activity, reports and undo read nothing else.
create table issue_events (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  issue_id uuid not null,
  change_id uuid not null,
  kind text not null check (kind in ('created', 'changed', 'commented', 'linked', 'unlinked')),
  field text not null default '',
  before jsonb,
  after jsonb,
  actor_id uuid,
  token_id uuid,
  at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, issue_id) references issues (tenant_id, id)
);
select colaflow_distribute('issue_events', 'tenant');
create index issue_events_by_issue on issue_events (tenant_id, issue_id, at, id);
create index issue_events_by_project on issue_events (tenant_id, project_id, at, id);
create index issue_events_by_time on issue_events (tenant_id, at, id);
select colaflow_protect('issue_events', 'select, insert', 'project_id');
