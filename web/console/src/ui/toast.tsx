import { create } from 'zustand'

interface Toast {
  id: number
  text: string
  bad: boolean
}

const useToasts = create<{ list: Toast[] }>(() => ({ list: [] }))
let next = 1

/** Says something for a few seconds. */
export function say(text: string, bad = false) {
  const id = next++
  useToasts.setState(({ list }) => ({ list: [...list.slice(-2), { id, text, bad }] }))
  setTimeout(() => useToasts.setState(({ list }) => ({ list: list.filter((t) => t.id !== id) })), bad ? 8000 : 4000)
}

/** The place where what is said appears. */
export function Toasts() {
  const { list } = useToasts()
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map((t) => (
        <p key={t.id} className={t.bad ? 'bad' : ''}>
          {t.text}
        </p>
      ))}
    </div>
  )
}
