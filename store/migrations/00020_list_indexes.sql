-- The columns that lists filter and group by, added to the indexes that order them:
-- exact totals and groups are then answered by the index alone.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

drop index issues_by_update;
create index issues_by_update on issues (tenant_id, open, updated_at desc, id desc)
  include (project_id, category, status, type, priority, assignee_id, due_date, points);
drop index issues_by_project;
create index issues_by_project on issues (tenant_id, project_id, open, updated_at desc, id desc)
  include (category, status, type, priority, assignee_id, due_date, points);
