import { tenantParam } from '../location'

/** What a URL says of the tenant; null: nothing, the host may. */
export const asked = (): string | null => tenantParam(window.location.search)

/** The rule of the server: what can be a tenant's name. */
export const validSlug = (slug: string) => /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(slug)
