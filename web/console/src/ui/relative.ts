const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** The last one that was used: making it costs more than using it a hundred times. */
let last = { language: undefined as string | undefined, format: new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' }) }

/** How far a moment is from now, in words. */
export function relative(ms: number, language?: string): string {
  const seconds = ms / 1000
  if (last.language !== language) last = { language, format: new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' }) }
  const { format } = last
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit)
  }
  return Math.abs(seconds) < 10 ? format.format(0, 'second') : format.format(Math.trunc(seconds), 'second')
}
