-- In which version each field of a project or sprint changed last, so that a write
-- which expects an older one can be told what it would undo.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

alter table projects add column field_versions jsonb not null default '{}';
alter table sprints add column field_versions jsonb not null default '{}';
