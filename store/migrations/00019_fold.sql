-- fold is how names are compared where case must not matter. lower() alone knows only
-- ASCII where the database's locale is C; with ICU it knows every script.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- +goose StatementBegin
do $$ begin
  if exists (select from pg_collation where collname = 'und-x-icu') then
    create function fold(p_text text) returns text language plpgsql immutable strict parallel safe as
      'begin return lower(p_text collate "und-x-icu"); end';
  else
    create function fold(p_text text) returns text language plpgsql immutable strict parallel safe as
      'begin return lower(p_text); end';
  end if;
end $$;
-- +goose StatementEnd
