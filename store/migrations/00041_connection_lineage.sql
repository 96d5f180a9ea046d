-- Why a connection's token ended, and which connection another takes the place of.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- ended_why is empty where a person ended the token.
alter table tokens add column ended_why text;

-- asked lists what a client was told to ask its member for, because calls needed it, until
-- asked_at; replaces the connection whose client asked, and which ends when the code is redeemed.
alter table oauth_connections
  add column asked jsonb,
  add column asked_at timestamptz,
  add column replaces uuid;
