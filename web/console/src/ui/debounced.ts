import { useEffect, useState } from 'react'

/** A value as it was once it stood still. */
export function useDebounced<T>(value: T, ms = 250): T {
  const [still, setStill] = useState(value)
  const text = JSON.stringify(value)
  useEffect(() => {
    const id = setTimeout(() => setStill(JSON.parse(text) as T), ms)
    return () => clearTimeout(id)
  }, [text, ms])
  return still
}
