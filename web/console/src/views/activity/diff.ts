/** One line of what a change did. */
export interface DiffLine {
  field: string
  before: string
  after: string
}

/** A value in words: names rather than objects, lists with commas. */
export function inWords(value: unknown): string {
  if (value === null || value === undefined || value === '') return ''
  if (Array.isArray(value)) return value.map(inWords).join(', ')
  if (typeof value === 'object') {
    const { name, key, value: inner } = value as Record<string, unknown>
    for (const known of [name, key, inner]) if (typeof known === 'string') return known
    return JSON.stringify(value)
  }
  return String(value)
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)

/** Reads the changes of an audit row, in whichever of its forms, as lines. */
export function diffOf(changes: unknown): DiffLine[] {
  if (Array.isArray(changes)) return changes.flatMap((c) => diffOf(c))
  if (!isObject(changes)) return []
  if (typeof changes.field === 'string') {
    const key = typeof changes.key === 'string' ? `${changes.key} ` : ''
    return [{ field: key + changes.field, before: inWords(changes.before), after: inWords(changes.after) }]
  }
  if (isObject(changes.before) || isObject(changes.after)) {
    const before = isObject(changes.before) ? changes.before : {}
    const after = isObject(changes.after) ? changes.after : {}
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .map((field) => ({ field, before: inWords(before[field]), after: inWords(after[field]) }))
      .filter((l) => l.before !== l.after)
  }
  return Object.entries(changes).map(([field, v]) =>
    isObject(v) && ('before' in v || 'after' in v)
      ? { field, before: inWords(v.before), after: inWords(v.after) }
      : { field, before: '', after: inWords(v) },
  )
}
