-- Full-text search. @@ is not leakproof, so under row-level security PostgreSQL
-- would not use the index. The function below runs as colaflow_search, which may
-- read issues and nothing else, and repeats both conditions of the policy.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- +goose StatementBegin
do $$ begin
  if exists (select from pg_available_extensions where name = 'btree_gin')
     and not exists (select from pg_extension where extname = 'btree_gin') then
    begin
      create extension btree_gin;
    exception when insufficient_privilege then
      null; -- a DBA creates extensions; search works without it
    end;
  end if;
end $$;
-- +goose StatementEnd

-- With btree_gin one index leads with the tenant; without it the text decides.
-- +goose StatementBegin
do $$ begin
  if exists (select from pg_extension where extname = 'btree_gin') then
    create index issues_search on issues using gin (tenant_id, search) with (fastupdate = off);
  else
    create index issues_search on issues using gin (search) with (fastupdate = off);
  end if;
end $$;
-- +goose StatementEnd

create policy search on issues for select to colaflow_search using (true);
grant select on issues to colaflow_search;

-- search_issue_ids returns the ids of the issues that match a query, best first.
-- p_any: match any word instead of the web-search form.
-- +goose StatementBegin
create function search_issue_ids(p_text text, p_any boolean, p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  v_projects text := nullif(current_setting('app.only_projects', true), '');
  v_query tsquery := websearch_to_tsquery('english', p_text);
begin
  if v_tenant is null or v_projects is null or p_limit is null then
    return;
  end if;
  if p_any then
    v_query := nullif(replace(plainto_tsquery('english', p_text)::text, ' & ', ' | '), '')::tsquery;
  end if;
  return query
    select i.id from issues i
    where i.tenant_id = v_tenant and i.search @@ v_query
      and (v_projects = 'all' or strpos(v_projects, i.project_id::text) > 0)
    order by ts_rank(i.search, v_query) desc, i.id desc
    limit least(p_limit, 100000);
end $$;
-- +goose StatementEnd
revoke execute on function search_issue_ids(text, boolean, int) from public;
grant execute on function search_issue_ids(text, boolean, int) to colaflow_app;
grant create on schema public to colaflow_search;
alter function search_issue_ids(text, boolean, int) owner to colaflow_search;
revoke create on schema public from colaflow_search;
