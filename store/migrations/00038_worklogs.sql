-- Time that was spent on issues, entry by entry.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

create table worklogs (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  issue_id uuid not null,
  author_id uuid,
  token_id uuid,
  minutes int not null check (minutes between 1 and 10080),
  started_on date not null,
  comment text not null default '',
  created_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, issue_id) references issues (tenant_id, id) on delete cascade,
  foreign key (tenant_id, author_id) references members (tenant_id, id)
);
select colaflow_distribute('worklogs', 'tenant');
create index worklogs_by_issue on worklogs (tenant_id, issue_id, started_on, id);
select colaflow_protect('worklogs', 'select, insert, delete', 'project_id');
