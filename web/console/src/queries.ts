import { notifyManager, QueryClient } from '@tanstack/react-query'
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

// What a person chose is drawn in the same frame: a box or a list would fall back to its old
// value, for React at once and for the eye until the library's next timer.
notifyManager.setScheduler(queueMicrotask)

useSession.subscribe((now, before) => {
  if (before.me && now.me?.id !== before.me.id) queries.clear()
})
