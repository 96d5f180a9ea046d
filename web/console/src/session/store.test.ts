import { beforeEach, expect, it, vi } from 'vitest'

vi.stubGlobal('window', { location: { search: '?tenant=acme' } })

/** The requests that were made, and what the server answers to each kind. */
let asked: string[] = []
let answers: Record<string, () => Response> = {}

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status })
const person = { id: '1', email: 'ada@acme.test', role: 'owner', tenant: 'acme', plan: 'free', session_expires: '' }
const access = (n: number) => json(200, { access_token: `token-${n}`, expires_in: 3600, member: person, now: '' })

async function tab() {
  vi.resetModules()
  return import('./store')
}

beforeEach(() => {
  asked = []
  let n = 0
  answers = { '/api/v1/auth/refresh': () => access(++n), '/api/v1/auth/logout': () => new Response(null, { status: 204 }) }
  vi.stubGlobal('fetch', async (url: string) => {
    const path = url.split('?')[0] ?? ''
    asked.push(path)
    return answers[path]?.() ?? json(404, { error: 'not_found', message: 'There is nothing here.' })
  })
})

it('signs in by the cookie, and keeps the token out of the store', async () => {
  const s = await tab()
  expect(s.useSession.getState()).toMatchObject({ status: 'starting', slug: 'acme', me: null })
  await s.start()
  expect(s.useSession.getState()).toMatchObject({ status: 'in', me: person })
  expect(JSON.stringify(s.useSession.getState())).not.toContain('token-1')
})

it('makes a refused call again with a fresh token, once for all that wait', async () => {
  const s = await tab()
  const { ApiError } = await import('../api/http')
  await s.start()
  const call = async (token: string) => {
    if (token === 'token-1') throw new ApiError(401, 'unauthenticated', 'expired')
    return token
  }
  expect(await Promise.all([s.authorized(call), s.authorized(call), s.authorized(call)])).toEqual(['token-2', 'token-2', 'token-2'])
  expect(asked.filter((p) => p.endsWith('refresh'))).toHaveLength(2)
  const refused = s.authorized(async () => Promise.reject(new ApiError(401, 'unauthenticated', 'again')))
  await expect(refused).rejects.toMatchObject({ message: 'again' })
})

it('says that the session has ended only to who had one', async () => {
  const s = await tab()
  const { ApiError } = await import('../api/http')
  const given = answers['/api/v1/auth/refresh']!
  const refused = () => json(401, { error: 'unauthenticated', message: 'The session has ended.' })
  answers['/api/v1/auth/refresh'] = refused
  await expect(s.start()).rejects.toMatchObject({ status: 401 })
  expect(s.useSession.getState()).toMatchObject({ status: 'out', reason: '' })
  answers['/api/v1/auth/refresh'] = given
  await s.start()
  answers['/api/v1/auth/refresh'] = refused
  await expect(s.authorized(() => Promise.reject(new ApiError(401, 'unauthenticated', 'expired')))).rejects.toMatchObject({ status: 401 })
  expect(s.useSession.getState()).toMatchObject({ status: 'out', me: null, reason: 'Your session has ended.' })
})

it('keeps who is signed in when only the server cannot be reached', async () => {
  const s = await tab()
  await s.start()
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')))
  await expect(s.signOut()).rejects.toMatchObject({ code: 'unreachable' })
  expect(s.useSession.getState().status).toBe('in')
})

it('keeps why nobody is signed in when a call of before is refused', async () => {
  const s = await tab()
  const { ApiError } = await import('../api/http')
  await s.start()
  let refuse = (_: Error) => {}
  const late = s.authorized(() => new Promise((_, no) => (refuse = no)))
  await s.signOut()
  answers['/api/v1/auth/refresh'] = () => json(401, { error: 'unauthenticated', message: 'The session has ended.' })
  refuse(new ApiError(401, 'unauthenticated', 'revoked'))
  await expect(late).rejects.toMatchObject({ status: 401 })
  expect(s.useSession.getState()).toMatchObject({ status: 'out', reason: 'You are signed out.' })
})

it('signs out the other tabs of the tenant', async () => {
  const [one, two] = [await tab(), await tab()]
  await one.start()
  await two.start()
  await one.signOut()
  await vi.waitFor(() => expect(two.useSession.getState()).toMatchObject({ status: 'out', me: null, reason: 'You signed out in another tab.' }))
  expect(one.useSession.getState()).toMatchObject({ status: 'out', reason: 'You are signed out.' })
})
