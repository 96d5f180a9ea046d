-- The transaction that wrote a row, so that a reader of changes can tell what it has
-- not seen yet: neither times nor ids are in the order of commits.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- Rows from before have none, and are news to nobody.
alter table issue_events add column tx bigint;
alter table issue_events alter column tx set default pg_current_xact_id()::text::bigint;
create index issue_events_by_tx on issue_events (tenant_id, tx);

alter table projects add column tx bigint;
alter table projects alter column tx set default pg_current_xact_id()::text::bigint;

alter table sprints add column tx bigint;
alter table sprints alter column tx set default pg_current_xact_id()::text::bigint;
