-- Text indexes over open issues alone, which is what nearly every search asks for,
-- and over their titles, for possible duplicates.

-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- +goose StatementBegin
do $$ declare
  v_tenant text := case when exists (select from pg_extension where extname = 'btree_gin') then 'tenant_id, ' else '' end;
begin
  execute format('create index issues_search_open on issues using gin (%ssearch) with (fastupdate = off) where open', v_tenant);
  execute format('create index issues_title_open on issues using gin (%sto_tsvector(''english'', title)) with (fastupdate = off) where open', v_tenant);
end $$;
-- +goose StatementEnd

-- Only their owner may replace the functions.
grant create on schema public to colaflow_search;
set local role colaflow_search;

-- As in 00004, but that open issues are found by their own index.
-- +goose StatementBegin
create or replace function search_issue_ids(p_text text, p_projects uuid[], p_categories text[], p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  v_reach text := nullif(current_setting('app.only_projects', true), '');
  v_query tsquery := websearch_to_tsquery('english', p_text);
begin
  if v_tenant is null or v_reach is null or p_limit is null then
    return;
  end if;
  if p_categories <@ '{todo,in_progress}' then
    return query
      select i.id from issues i
      where i.tenant_id = v_tenant and i.open and i.search @@ v_query
        and (v_reach = 'all' or strpos(v_reach, i.project_id::text) > 0)
        and (p_projects is null or i.project_id = any (p_projects))
        and i.category = any (p_categories)
      order by ts_rank(i.search, v_query) desc, i.id desc
      limit least(p_limit, 100000);
  else
    return query
      select i.id from issues i
      where i.tenant_id = v_tenant and i.search @@ v_query
        and (v_reach = 'all' or strpos(v_reach, i.project_id::text) > 0)
        and (p_projects is null or i.project_id = any (p_projects))
        and (p_categories is null or i.category = any (p_categories))
      order by ts_rank(i.search, v_query) desc, i.id desc
      limit least(p_limit, 100000);
  end if;
end $$;
-- +goose StatementEnd

-- As in 00004, but by the index over titles, which says by itself who matches.
-- +goose StatementBegin
create or replace function similar_issue_ids(p_title text, p_limit int) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  v_reach text := nullif(current_setting('app.only_projects', true), '');
  v_words text[] := array(select distinct w
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
    where i.tenant_id = v_tenant and i.open and to_tsvector('english', i.title) @@ v_query
      and (v_reach = 'all' or strpos(v_reach, i.project_id::text) > 0)
    order by ts_rank(to_tsvector('english', i.title), v_query) desc, i.id desc
    limit least(p_limit, 100);
end $$;
-- +goose StatementEnd

reset role;
revoke create on schema public from colaflow_search;
