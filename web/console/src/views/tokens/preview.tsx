import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { post } from '../../api/api'
import { Problem } from '../../ui/states'
import type { Grants } from './grants'

/** What an agent with these grants will see, and what it costs its context. */
export function Preview({ permissions, role }: { permissions: Grants; role?: string }) {
  const seen = useQuery({
    queryKey: ['preview', permissions, role],
    queryFn: ({ signal }) => post('/api/v1/tokens/preview', { permissions, role }, { signal }),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  })
  if (seen.isError) return <Problem error={seen.error} />
  const tools = seen.data?.tools ?? []
  return (
    <section className="preview" aria-live="polite">
      <p>
        This agent will see <b>{seen.data ? tools.length : '…'} tools</b>, about <b>{seen.data?.tokens.toLocaleString() ?? '…'} tokens</b> of its
        context.
      </p>
      <div className="badges">
        {tools.map((t) => (
          <span key={t.name} className={t.read_only ? 'badge' : 'badge act'} title={`${t.title}: ${t.read_only ? 'reads' : 'writes'}, about ${t.tokens} tokens`}>
            {t.name}
          </span>
        ))}
      </div>
    </section>
  )
}
