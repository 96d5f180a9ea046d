import { ApiError } from '../../api/http'

/** How soon the log is asked again: only its newest page is live, and no search is repeated that the server had not the time for. */
export const pace = ({ state }: { state: { data?: { pages: unknown[] } | undefined; error: Error | null } }): number | false =>
  (state.data?.pages.length ?? 0) > 1 || (state.error instanceof ApiError && state.error.code === 'too_large') ? false : 5_000
