import type { ButtonHTMLAttributes } from 'react'

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: 'primary' | 'plain' | 'danger' | 'quiet'
  busy?: boolean
}

/** A button; while busy it cannot be pressed again. */
export function Button({ kind = 'plain', busy = false, disabled, className = '', ...rest }: Props) {
  return <button type="button" className={`button ${kind} ${className}`} disabled={disabled || busy} aria-busy={busy || undefined} {...rest} />
}
