-- Issues and projects can be deleted, with all that belongs to them.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- What belongs to an issue goes with it, by the keys: so the server itself may still
-- delete neither events nor comments.
alter table issue_labels drop constraint issue_labels_tenant_id_issue_id_fkey;
alter table issue_labels add foreign key (tenant_id, issue_id) references issues (tenant_id, id) on delete cascade;
alter table comments drop constraint comments_tenant_id_issue_id_fkey;
alter table comments add foreign key (tenant_id, issue_id) references issues (tenant_id, id) on delete cascade;
alter table issue_links drop constraint issue_links_tenant_id_from_id_fkey;
alter table issue_links add foreign key (tenant_id, from_id) references issues (tenant_id, id) on delete cascade;
alter table issue_links drop constraint issue_links_tenant_id_to_id_fkey;
alter table issue_links add foreign key (tenant_id, to_id) references issues (tenant_id, id) on delete cascade;
alter table issue_events drop constraint issue_events_tenant_id_issue_id_fkey;
alter table issue_events add foreign key (tenant_id, issue_id) references issues (tenant_id, id) on delete cascade;
alter table issue_timelines drop constraint issue_timelines_tenant_id_issue_id_fkey;
alter table issue_timelines add foreign key (tenant_id, issue_id) references issues (tenant_id, id) on delete cascade;
alter table sprint_snapshots drop constraint sprint_snapshots_tenant_id_sprint_id_fkey;
alter table sprint_snapshots add foreign key (tenant_id, sprint_id) references sprints (tenant_id, id) on delete cascade;

grant delete on issues to colaflow_app;
grant delete on sprints to colaflow_app;
grant delete on projects to colaflow_app;

-- What was deleted, for a day, so that whoever watches it hears of it.
create table deletions (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  project_key text not null,
  issue_id uuid,
  deleted_at timestamptz not null,
  tx bigint not null default pg_current_xact_id()::text::bigint,
  primary key (tenant_id, id)
);
select colaflow_distribute('deletions', 'tenant');
create index deletions_by_tx on deletions (tenant_id, tx);
select colaflow_protect('deletions', 'select, insert, delete', 'project_id');
