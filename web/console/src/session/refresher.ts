/** What a refresh brings: an access token and how long it is good. */
export interface Access {
  access_token: string
  expires_in: number
}

export interface Clock {
  now(): number
  after(ms: number, fn: () => void): () => void
}

export const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, fn) => {
    const id = setTimeout(fn, ms)
    return () => clearTimeout(id)
  },
}

/** How long before its end a token is replaced. */
const EARLY = 120_000

/**
 * Keeps the one access token of this tab, in memory alone. However many callers find it
 * missing, expired or refused, one refresh is in flight and the others wait for it.
 */
export class Refresher<A extends Access> {
  #ask: () => Promise<A>
  #clock: Clock
  #fresh: (access: A) => void
  #token = ''
  #ends = 0
  #flight: Promise<string> | null = null
  #cancel = () => {}
  #era = 0

  constructor(ask: () => Promise<A>, fresh: (access: A) => void = () => {}, clock: Clock = realClock) {
    this.#ask = ask
    this.#fresh = fresh
    this.#clock = clock
  }

  /** A token that is good now. */
  token(): Promise<string> {
    if (this.#token && this.#clock.now() < this.#ends - EARLY / 4) return Promise.resolve(this.#token)
    return this.renew(this.#token)
  }

  /** A token other than the one that was refused; another caller may have it already. */
  renew(refused: string): Promise<string> {
    if (this.#token && this.#token !== refused) return Promise.resolve(this.#token)
    this.#flight ??= this.#refresh().finally(() => {
      this.#flight = null
    })
    return this.#flight
  }

  /** Forgets the token, and whatever a refresh in flight will bring. */
  clear() {
    this.#era++
    this.#token = ''
    this.#ends = 0
    this.#cancel()
  }

  async #refresh(): Promise<string> {
    const era = this.#era
    const access = await this.#ask()
    if (era !== this.#era) throw new Error('signed out meanwhile')
    const life = access.expires_in * 1000
    this.#token = access.access_token
    this.#ends = this.#clock.now() + life
    this.#cancel()
    this.#cancel = this.#clock.after(Math.max(life - EARLY, life / 2), () => {
      this.renew(this.#token).catch(() => {}) // the next call says so
    })
    this.#fresh(access)
    return this.#token
  }
}
