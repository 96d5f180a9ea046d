import type { Category } from '../api/tracker'

const kinds: Record<Category, string> = { todo: '', in_progress: 'act', done: 'good', cancelled: '' }

/** A status in the colour of its category. */
export function StatusBadge({ name, category }: { name: string; category?: Category }) {
  return <span className={`badge ${category ? kinds[category] : ''}`}>{name}</span>
}

/** A priority; the usual one is quiet. */
export function Priority({ name }: { name: string }) {
  const kind = { urgent: 'bad', high: 'warn' }[name]
  return kind ? <span className={`badge ${kind}`}>{name}</span> : <span className="soft">{name}</span>
}
