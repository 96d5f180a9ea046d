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

-- search_issue_ids returns the ids of the issues that match a query in web-search
-- form, best first. p_projects and p_categories narrow it further; null: all.
-- +goose StatementBegin
create function search_issue_ids(p_text text, p_projects uuid[], p_categories text[], p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  v_reach text := nullif(current_setting('app.only_projects', true), '');
  v_query tsquery := websearch_to_tsquery('english', p_text);
begin
  if v_tenant is null or v_reach is null or p_limit is null then
    return;
  end if;
  return query
    select i.id from issues i
    where i.tenant_id = v_tenant and i.search @@ v_query
      and (v_reach = 'all' or strpos(v_reach, i.project_id::text) > 0)
      and (p_projects is null or i.project_id = any (p_projects))
      and (p_categories is null or i.category = any (p_categories))
    order by ts_rank(i.search, v_query) desc, i.id desc
    limit least(p_limit, 100000);
end $$;
-- +goose StatementEnd

-- similar_issue_ids returns open issues whose titles share about half of their
-- words with a title, best first. Who shares k of n words shares two words of
-- some group, once the words are in k - 1 groups. So the query asks for pairs,
-- which the index answers without reading all issues that have a frequent word.
-- +goose StatementBegin
create function similar_issue_ids(p_title text, p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  v_reach text := nullif(current_setting('app.only_projects', true), '');
  v_words text[] := array(select distinct w || ':A'
    from unnest(string_to_array(plainto_tsquery('english', p_title)::text, ' & ')) w where w <> '' limit 16);
  v_groups int := greatest((cardinality(v_words) + 1) / 2 - 1, 1);
  v_query tsquery;
begin
  if v_tenant is null or v_reach is null or p_limit is null then
    return;
  end if;
  select string_agg('(' || v_words[a] || ' & ' || v_words[b] || ')', ' | ')::tsquery into v_query
  from generate_subscripts(v_words, 1) a, generate_subscripts(v_words, 1) b
  where a % v_groups = b % v_groups and (a < b or cardinality(v_words) = 1);
  if v_query is null then
    return;
  end if;
  return query
    select i.id from issues i
    where i.tenant_id = v_tenant and i.open and i.search @@ v_query
      and (v_reach = 'all' or strpos(v_reach, i.project_id::text) > 0)
    order by ts_rank(i.search, v_query) desc, i.id desc
    limit least(p_limit, 100);
end $$;
-- +goose StatementEnd

-- match_issues is search_issue_ids within projects named by key, as the caller
-- sees them.
-- +goose StatementBegin
create function match_issues(p_tenant uuid, p_text text, p_keys text[], p_categories text[], p_limit int) returns uuid[]
language plpgsql stable as $$
declare
  v_projects uuid[];
begin
  if cardinality(p_keys) > 0 then
    v_projects := array(select p.id from projects p where p.tenant_id = p_tenant and p.key = any (p_keys));
  end if;
  return array(select search_issue_ids(p_text, v_projects, nullif(p_categories, '{}'), p_limit));
end $$;
-- +goose StatementEnd

revoke execute on function search_issue_ids(text, uuid[], text[], int), similar_issue_ids(text, int) from public;
grant execute on function search_issue_ids(text, uuid[], text[], int), similar_issue_ids(text, int) to colaflow_app;
grant create on schema public to colaflow_search;
alter function search_issue_ids(text, uuid[], text[], int) owner to colaflow_search;
alter function similar_issue_ids(text, int) owner to colaflow_search;
revoke create on schema public from colaflow_search;
