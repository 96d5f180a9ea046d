-- What reports stand on besides the events: calendars, frozen sprints, timelines.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

alter table projects add column working_days jsonb not null default '["mon", "tue", "wed", "thu", "fri"]';

-- What was in a sprint when it started and when it was completed, issue by issue.
-- Written with the start and the completion, and never again.
create table sprint_snapshots (
  tenant_id uuid not null,
  project_id uuid not null,
  sprint_id uuid not null,
  moment text not null check (moment in ('start', 'end')),
  at timestamptz not null,
  items jsonb not null,
  primary key (tenant_id, sprint_id, moment),
  foreign key (tenant_id, sprint_id) references sprints (tenant_id, id)
);
select colaflow_distribute('sprint_snapshots', 'tenant');
create index sprint_snapshots_by_project on sprint_snapshots (tenant_id, project_id);
select colaflow_protect('sprint_snapshots', 'select, insert', 'project_id');

-- The events of an issue that reports need, as one text: 100,000 events are read
-- ten times as fast. A timeline counts only if its version is still that of its
-- issue, because every change that it tells raises that: what is behind is read from
-- the events, and caught up by a job. So it cannot disagree with them.
create table issue_timelines (
  tenant_id uuid not null,
  project_id uuid not null,
  issue_id uuid not null,
  version int not null,
  steps text not null,
  primary key (tenant_id, issue_id),
  foreign key (tenant_id, issue_id) references issues (tenant_id, id)
);
select colaflow_distribute('issue_timelines', 'tenant');
create index issue_timelines_by_project on issue_timelines (tenant_id, project_id);
select colaflow_protect('issue_timelines', 'select, insert, update', 'project_id');
