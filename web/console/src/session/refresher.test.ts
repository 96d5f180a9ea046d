import { describe, expect, it } from 'vitest'
import { type Access, type Clock, Refresher } from './refresher'

class TestClock implements Clock {
  time = 0
  jobs: { at: number; fn: () => void }[] = []
  now = () => this.time
  after = (ms: number, fn: () => void) => {
    const job = { at: this.time + ms, fn }
    this.jobs.push(job)
    return () => {
      this.jobs = this.jobs.filter((j) => j !== job)
    }
  }
  pass(ms: number) {
    this.time += ms
    for (const job of this.jobs.filter((j) => j.at <= this.time)) {
      this.jobs = this.jobs.filter((j) => j !== job)
      job.fn()
    }
  }
}

/** A server that answers when it is told to. */
class Server {
  asked = 0
  waiting: { answer: (a: Access) => void; refuse: (e: Error) => void }[] = []
  ask = () => {
    this.asked++
    return new Promise<Access>((answer, refuse) => this.waiting.push({ answer, refuse }))
  }
  answer(token: string) {
    this.waiting.shift()?.answer({ access_token: token, expires_in: 3600 })
  }
}

function setup() {
  const clock = new TestClock()
  const server = new Server()
  const seen: string[] = []
  return { clock, server, seen, refresher: new Refresher(server.ask, (a) => seen.push(a.access_token), clock) }
}

const settled = () => new Promise((done) => setTimeout(done, 0))

describe('Refresher', () => {
  it('has one refresh in flight, and all callers wait for it', async () => {
    const { server, refresher, seen } = setup()
    const all = Promise.all([refresher.token(), refresher.token(), refresher.renew('old')])
    expect(server.asked).toBe(1)
    server.answer('one')
    expect(await all).toEqual(['one', 'one', 'one'])
    expect(await refresher.token()).toBe('one')
    expect(server.asked).toBe(1)
    expect(seen).toEqual(['one'])
  })

  it('refreshes once for many requests that were refused with the same token', async () => {
    const { server, refresher } = setup()
    const first = refresher.token()
    server.answer('one')
    await first
    const renewed = [refresher.renew('one'), refresher.renew('one')]
    expect(server.asked).toBe(2)
    server.answer('two')
    expect(await Promise.all(renewed)).toEqual(['two', 'two'])
    expect(await refresher.renew('one')).toBe('two') // a late 401 of the old token
    expect(server.asked).toBe(2)
  })

  it('refreshes before the end, by itself', async () => {
    const { clock, server, refresher } = setup()
    const first = refresher.token()
    server.answer('one')
    await first
    clock.pass(3_479_000)
    expect(server.asked).toBe(1)
    clock.pass(1_000)
    expect(server.asked).toBe(2)
    server.answer('two')
    await settled()
    expect(await refresher.token()).toBe('two')
  })

  it('asks again when the machine slept past the end', async () => {
    const { clock, server, refresher } = setup()
    const first = refresher.token()
    server.answer('one')
    await first
    clock.time += 10_000_000 // timers did not run
    const next = refresher.token()
    server.answer('two')
    expect(await next).toBe('two')
  })

  it('lets all who wait know of a failure, and asks anew after it', async () => {
    const { server, refresher } = setup()
    const waiting = Promise.allSettled([refresher.token(), refresher.token()])
    server.waiting.shift()?.refuse(new Error('down'))
    expect((await waiting).map((r) => r.status)).toEqual(['rejected', 'rejected'])
    const next = refresher.token()
    server.answer('one')
    expect(await next).toBe('one')
  })

  it('keeps nothing after a sign-out, not even what was in flight', async () => {
    const { clock, server, refresher, seen } = setup()
    const flight = refresher.token()
    refresher.clear()
    server.answer('late')
    await expect(flight).rejects.toThrow('signed out')
    expect(seen).toEqual([])
    expect(clock.jobs).toEqual([])
  })
})
