import { QueryClient } from '@tanstack/react-query'
import { ApiError } from './api/http'
import { useSession } from './session/store'

/** The state of the server as this tab knows it; what a person leaves takes it along. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
    },
  },
})

useSession.subscribe((now, before) => {
  if (before.me && now.me?.id !== before.me.id) queries.clear()
})
