import type { Schemas } from '../../api/api'

/** A connection as a form holds it: lists as text. */
export interface Draft {
  name: string
  title: string
  protocol: 'oidc' | 'saml'
  preset: string
  issuer: string
  client: string
  secret: string
  entra: string
  hosted: string
  metadataURL: string
  metadata: string
  emailClaim: string
  nameClaim: string
  groupsClaim: string
  idpInitiated: boolean
  domains: string
  provision: boolean
  role: string
  roles: string
  link: boolean
  trust: boolean
}

type Connection = Schemas['Connection']

/** What a form begins with: what is stored, or what most want. */
export function draftOf(c?: Connection): Draft {
  const names = c?.oidc?.claims ?? c?.saml?.attributes
  return {
    name: c?.name ?? '',
    title: c?.title ?? '',
    protocol: c?.protocol ?? 'oidc',
    preset: c?.oidc?.preset ?? 'generic',
    issuer: c?.oidc?.issuer ?? '',
    client: c?.oidc?.client_id ?? '',
    secret: '',
    entra: c?.oidc?.entra_tenants?.join(', ') ?? '',
    hosted: c?.oidc?.hosted_domains?.join(', ') ?? '',
    metadataURL: c?.saml?.metadata_url ?? '',
    metadata: c?.saml?.metadata ?? '',
    emailClaim: names?.email ?? '',
    nameClaim: names?.name ?? '',
    groupsClaim: names?.groups ?? '',
    idpInitiated: c?.saml?.idp_initiated ?? false,
    domains: c?.rules.domains?.join(', ') ?? '',
    provision: c?.rules.auto_provision ?? true,
    role: c?.rules.default_role ?? 'member',
    roles: c?.rules.roles?.map((r) => `${r.group} = ${r.role}`).join('\n') ?? '',
    link: c?.rules.link_by_email ?? false,
    trust: c?.rules.trust_email ?? false,
  }
}

/** The words of a list that a person wrote with commas or spaces. */
export const words = (text: string) => text.split(/[\s,]+/).filter(Boolean)

/** The rows GROUP = ROLE of a text; a group may hold the sign itself. */
export const rows = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const cut = line.lastIndexOf('=')
      return { group: line.slice(0, Math.max(cut, 0)).trim(), role: line.slice(cut + 1).trim() }
    })

/** What the API takes of a draft. What the form does not show stays as it was. */
export function settingsOf(d: Draft, c?: Connection) {
  const names = { ...(c?.oidc?.claims ?? c?.saml?.attributes), email: d.emailClaim, name: d.nameClaim, groups: d.groupsClaim }
  return {
    title: d.title,
    protocol: d.protocol,
    ...(d.secret && { client_secret: d.secret }),
    address: c?.address ?? '',
    ...(d.protocol === 'oidc'
      ? { oidc: { ...c?.oidc, preset: d.preset, issuer: d.issuer, client_id: d.client, entra_tenants: words(d.entra), hosted_domains: words(d.hosted), claims: names } }
      : { saml: { ...c?.saml, metadata_url: d.metadataURL, metadata: d.metadata, attributes: names, idp_initiated: d.idpInitiated } }),
    rules: {
      ...c?.rules,
      domains: words(d.domains),
      auto_provision: d.provision,
      default_role: d.role,
      roles: rows(d.roles),
      link_by_email: d.link,
      trust_email: d.trust,
    },
  }
}
