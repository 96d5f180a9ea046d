import { useEffect, useState } from 'react'
import { usePreferences } from './theme'
import { relative } from './relative'

/** A moment relative to now, with the exact one on hover. */
export function Time({ at }: { at: string | undefined }) {
  const { timezone, language } = usePreferences()
  const now = useNow()
  if (!at) return <span className="soft">never</span>
  const date = new Date(at)
  const exact = exactTime(date, language, timezone)
  return (
    <time dateTime={at} title={exact}>
      {relative(date.getTime() - now, language || undefined)}
    </time>
  )
}

/** A moment in full, in the person's language and timezone. */
export function exactTime(date: Date, language: string, timezone: string): string {
  const key = `${language} ${timezone}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.DateTimeFormat(language || undefined, { dateStyle: 'medium', timeStyle: 'medium', timeZone: timezone || undefined })
    formats.set(key, format)
  }
  return format.format(date)
}

/** Making one costs more than using it a hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>()

function useNow(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const id = setInterval(() => setNow(Date.now()), 30_000)
    return () => clearInterval(id)
  }, [])
  return now
}
