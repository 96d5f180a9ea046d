import type { Schemas, Token } from '../../api/api'

export type Vocabulary = Schemas['Permissions']

/** The stored form of what a token may do. */
export interface Grants {
  [resource: string]: unknown
  deny?: Record<string, string[]>
  only_projects?: string[]
}

/** What a token may do as a person edits it: permissions, and projects; null: all. */
export interface Choice {
  allowed: Set<string>
  projects: string[] | null
}

function expand(verbs: Record<string, unknown>, vocabulary: Vocabulary): Set<string> {
  const set = new Set<string>()
  for (const { name, verbs: known } of vocabulary.resources) {
    const given = verbs[name]
    if (!Array.isArray(given)) continue
    for (const verb of given.includes('*') ? known : given) set.add(`${name}:${verb}`)
  }
  return set
}

/** Reads the stored form; what is denied is not allowed. */
export function choiceOf(grants: Grants, vocabulary: Vocabulary): Choice {
  const allowed = expand(grants, vocabulary)
  for (const denied of expand(grants.deny ?? {}, vocabulary)) allowed.delete(denied)
  return { allowed, projects: grants.only_projects ?? null }
}

/** The stored form of a choice, in the order of the vocabulary. */
export function grantsOf({ allowed, projects }: Choice, vocabulary: Vocabulary): Grants {
  const grants: Grants = {}
  for (const { name, verbs } of vocabulary.resources) {
    const own = verbs.filter((v) => allowed.has(`${name}:${v}`))
    if (own.length > 0) grants[name] = own
  }
  if (projects) grants.only_projects = projects
  return grants
}

/** The preset that allows just this; '' if none does. */
export function presetOf(allowed: Set<string>, vocabulary: Vocabulary): string {
  const same = vocabulary.presets.find((p) => {
    const set = expand(p.permissions, vocabulary)
    return set.size === allowed.size && [...set].every((a) => allowed.has(a))
  })
  return same?.name ?? ''
}

/** What a token may do, in words. */
export function inWords(token: Pick<Token, 'permissions'>, vocabulary: Vocabulary): string {
  const { allowed } = choiceOf(token.permissions as Grants, vocabulary)
  if (allowed.size === 0) return 'nothing'
  const preset = presetOf(allowed, vocabulary)
  if (preset) return preset === 'full' ? 'everything' : preset
  return vocabulary.resources
    .map(({ name, verbs }) => {
      const own = verbs.filter((v) => allowed.has(`${name}:${v}`))
      if (own.length === 0) return ''
      return own.length === verbs.length && verbs.length > 1 ? `all of ${name}` : `${own.join(', ')} ${name}`
    })
    .filter(Boolean)
    .join('; ')
}

/** The projects of a token, in words. */
export function projectsInWords(token: Pick<Token, 'permissions'>): string {
  const only = (token.permissions as Grants).only_projects
  if (!only) return 'all projects'
  return only.length === 0 ? 'no project' : `only ${only.join(', ')}`
}
