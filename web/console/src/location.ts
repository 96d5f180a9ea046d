/** The tenant that a query names. */
export function tenantParam(search: string): string | null {
  return new URLSearchParams(search).get('tenant') || null
}

/** A path with more in its query; what is empty is left out. */
export function withQuery(path: string, query: Record<string, string | number | null | undefined>): string {
  const [base = '', own = ''] = path.split('?')
  const params = new URLSearchParams(own)
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') params.delete(name)
    else params.set(name, String(value))
  }
  const text = params.toString()
  return text ? `${base}?${text}` : base
}

/** A path of the console that keeps to the tenant which a search names, if it does. */
export function within(search: string, path: string): string {
  return withQuery(path, { tenant: tenantParam(search) })
}
