import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, patch, post, remove, tool } from '../../api/api'
import type { ProjectRow } from '../../api/tracker'
import type { Grants } from './grants'

export const useTokens = (poll?: number) =>
  useQuery({ queryKey: ['tokens'], queryFn: ({ signal }) => get('/api/v1/tokens', { signal }), refetchInterval: poll })

/** The vocabulary never changes while a server runs. */
export const useVocabulary = () =>
  useQuery({ queryKey: ['permissions'], queryFn: ({ signal }) => get('/api/v1/permissions', { signal }), staleTime: Infinity })

export const useProjects = () =>
  useQuery({
    queryKey: ['projects', 'active'],
    queryFn: ({ signal }) => tool<{ items: ProjectRow[]; total: number }>('list_projects', { limit: 100 }, signal),
  })

export interface TokenBody {
  name: string
  permissions: Grants
  expires_at?: string
  never_expires?: boolean
  allowed_ips?: string[]
  service?: boolean
  role?: string
}

function useTokenChange<In, Out>(change: (input: In) => Promise<Out>) {
  const queries = useQueryClient()
  return useMutation({ mutationFn: change, onSettled: () => queries.invalidateQueries({ queryKey: ['tokens'] }) })
}

export const useCreate = () => useTokenChange((body: TokenBody) => post('/api/v1/tokens', body))
export const useChange = (id: string) => useTokenChange((body: TokenBody) => patch('/api/v1/tokens/{id}', body, { id }))
export const useRotate = (id: string) => useTokenChange((overlap: number) => post('/api/v1/tokens/{id}/rotate', { overlap_seconds: overlap }, { id }))
export const useRevoke = (id: string) => useTokenChange((_: void) => remove('/api/v1/tokens/{id}', { id }))
