-- +goose Up
set local citus.multi_shard_modify_mode to 'sequential';

-- narrow holds the rest of a transaction to one project of those that are in reach
-- after enter(); to none if it is not among them.
-- +goose StatementBegin
create function narrow(p_tenant uuid, p_key text) returns void language plpgsql as $$
declare
  v_project text;
begin
  select p.id::text into v_project from projects p where p.tenant_id = p_tenant and p.key = p_key;
  perform colaflow_scope(p_tenant, coalesce(v_project, 'none'));
end $$;
-- +goose StatementEnd
