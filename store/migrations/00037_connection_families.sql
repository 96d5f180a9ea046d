-- Connections of OAuth clients that any replaced refresh token ends.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- family_hash is of the part of the refresh token that renewals keep. Connections without
-- one cannot be renewed: their clients ask again.
alter table oauth_connections add column family_hash bytea;

create unique index oauth_connections_by_family on oauth_connections (tenant_id, family_hash);
