import type { Choice, Vocabulary } from './grants'
import { choiceOf, type Grants, presetOf } from './grants'

interface Props {
  vocabulary: Vocabulary
  choice: Choice
  /** What the holder's role allows: the rest would be of no use. */
  ceiling: ReadonlySet<string>
  onChange: (choice: Choice) => void
}

const presetTitles: Record<string, string> = {
  reader: 'Reader: see everything',
  'ci-reporter': 'CI reporter: file and update issues',
  triage: 'Triage: read, update, comment',
  planner: 'Planner: triage, new issues, sprints',
  full: 'Full: everything',
}

/** A preset, and the permissions one by one. */
export function Matrix({ vocabulary, choice, ceiling, onChange }: Props) {
  const { allowed } = choice
  const toggle = (names: string[], on: boolean) => {
    const next = new Set(allowed)
    for (const n of names) {
      if (on) next.add(n)
      else next.delete(n)
    }
    onChange({ ...choice, allowed: next })
  }
  const preset = (name: string) => {
    const found = vocabulary.presets.find((p) => p.name === name)
    if (!found) return
    const all = choiceOf(found.permissions as Grants, vocabulary).allowed
    onChange({ ...choice, allowed: new Set([...all].filter((a) => ceiling.has(a))) })
  }
  return (
    <fieldset className="stack tight">
      <legend>What it may do</legend>
      <select aria-label="Preset" value={presetOf(allowed, vocabulary)} onChange={(e) => preset(e.target.value)}>
        <option value="" disabled>
          Own choice
        </option>
        {vocabulary.presets.map((p) => (
          <option key={p.name} value={p.name}>
            {presetTitles[p.name] ?? p.name}
          </option>
        ))}
      </select>
      <div className="matrix">
        {vocabulary.resources.map(({ name, verbs }) => {
          const all = verbs.map((v) => `${name}:${v}`).filter((p) => ceiling.has(p))
          const on = all.filter((p) => allowed.has(p))
          return (
            <div key={name} role="group" aria-label={name}>
              <label className="check">
                <input
                  type="checkbox"
                  checked={all.length > 0 && on.length === all.length}
                  ref={(box) => {
                    if (box) box.indeterminate = on.length > 0 && on.length < all.length
                  }}
                  disabled={all.length === 0}
                  onChange={(e) => toggle(all, e.target.checked)}
                />
                <b>{name}</b>
              </label>
              <span>
                {verbs.map((verb) => (
                  <label key={verb} className="check">
                    <input
                      type="checkbox"
                      aria-label={`${verb} ${name}`}
                      checked={allowed.has(`${name}:${verb}`)}
                      disabled={!ceiling.has(`${name}:${verb}`)}
                      onChange={(e) => toggle([`${name}:${verb}`], e.target.checked)}
                    />
                    {verb}
                  </label>
                ))}
              </span>
            </div>
          )
        })}
      </div>
    </fieldset>
  )
}
