import { create } from 'zustand'
import { persist } from 'zustand/middleware'

export type Theme = 'system' | 'light' | 'dark'

interface Preferences {
  theme: Theme
  /** An IANA name; '' is the browser's. */
  timezone: string
  /** A BCP 47 tag; '' is the browser's. */
  language: string
  /** Ids of the warnings that the person has looked at, newest first. */
  seen: string[]
}

/** What a person chose for this browser. Nothing of it is secret. */
export const usePreferences = create<Preferences>()(
  persist<Preferences>(() => ({ theme: 'system', timezone: '', language: '', seen: [] }), { name: 'colaflow.preferences' }),
)

/** Remembers that the person has looked at a warning. */
export function markSeen(id: string) {
  usePreferences.setState(({ seen }) => ({ seen: [id, ...seen.filter((s) => s !== id)].slice(0, 100) }))
}

/** Keeps the page's colours those of the choice. */
export function followTheme() {
  const apply = ({ theme }: Preferences) => {
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
  }
  apply(usePreferences.getState())
  usePreferences.subscribe(apply)
}
