import { useSearchParams } from 'react-router'

/** The filters of a view, kept in its address so that a link shows the same. */
export function useFilters<K extends string>(names: readonly K[]) {
  const [params, setParams] = useSearchParams()
  const values = Object.fromEntries(names.map((n) => [n, params.get(n) ?? ''])) as Record<K, string>
  const set = (changes: Partial<Record<K, string>>) =>
    setParams(
      (now) => {
        for (const [name, value] of Object.entries(changes) as [K, string][]) {
          if (value) now.set(name, value)
          else now.delete(name)
        }
        return now
      },
      { replace: true },
    )
  return { values, set, any: names.some((n) => values[n] !== '') }
}
