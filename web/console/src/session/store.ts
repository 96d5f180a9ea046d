import { create } from 'zustand'
import type { components } from '../api/schema'
import { ApiError, request } from '../api/http'
import { Refresher } from './refresher'
import { asked } from './tenant'

export type Me = components['schemas']['Me']
type Access = components['schemas']['Access']

/** starting: asking for an access token; unnamed: the address names no tenant. */
export type Status = 'starting' | 'in' | 'out' | 'unnamed' | 'failed'

interface SessionState {
  status: Status
  me: Me | null
  slug: string
  /** Why nobody is signed in, if there is more to say than that. */
  reason: string
}

/** Who is signed in. The access token is not here: nothing but the refresher holds it. */
export const useSession = create<SessionState>(() => ({ status: 'starting', me: null, slug: asked() ?? '', reason: '' }))

const refresher = new Refresher<Access>(
  () => request<Access>('POST', '/api/v1/auth/refresh'),
  (access) => {
    useSession.setState({ status: 'in', me: access.member, slug: access.member.tenant, reason: '' })
    listen(access.member.tenant)
  },
)

/** Signs in with the cookie if there is one. */
export async function start(): Promise<void> {
  useSession.setState({ status: 'starting', reason: '' })
  await refresher.token().catch(ended)
}

/** Calls with an access token; a refused one is replaced and the call made again, once. */
export async function authorized<T>(call: (token: string) => Promise<T>): Promise<T> {
  const token = await refresher.token().catch(ended)
  try {
    return await call(token)
  } catch (e) {
    if (!(e instanceof ApiError) || e.status !== 401) throw e
  }
  return call(await refresher.renew(token).catch(ended))
}

/** Ends the session here and in the other tabs of this tenant. */
export async function signOut(): Promise<void> {
  await request('POST', '/api/v1/auth/logout')
  channel?.postMessage('signed out')
  forget('You are signed out.')
}

/** Forgets the person, in this tab. */
export function forget(reason: string) {
  refresher.clear()
  useSession.setState({ status: 'out', me: null, reason })
}

function ended(e: unknown): never {
  if (e instanceof ApiError && e.status === 401) {
    const { me, reason } = useSession.getState() // which a late answer does not take away
    forget(me === null ? reason : 'Your session has ended.')
    if (!useSession.getState().slug) void resolve()
  } else if (e instanceof ApiError && e.code === 'missing') {
    useSession.setState({ status: 'unnamed' })
  } else if (useSession.getState().me === null) {
    useSession.setState({ status: 'failed', reason: e instanceof ApiError ? e.message : 'The server cannot be reached.' })
  }
  throw e
}

/** Learns the tenant's name from the server, where the host names it. */
async function resolve() {
  const tenant = await request<{ slug: string }>('GET', '/api/v1/tenant').catch(() => null)
  if (tenant) useSession.setState({ slug: tenant.slug })
}

let channel: BroadcastChannel | null = null

function listen(slug: string) {
  if (channel?.name === channelOf(slug)) return
  channel?.close()
  channel = new BroadcastChannel(channelOf(slug))
  channel.onmessage = () => forget('You signed out in another tab.')
}

const channelOf = (slug: string) => `colaflow:${slug}`
