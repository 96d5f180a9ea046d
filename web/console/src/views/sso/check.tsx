import { useMutation } from '@tanstack/react-query'
import { post } from '../../api/api'
import { Button } from '../../ui/button'
import { Icon } from '../../ui/icon'
import { Problem } from '../../ui/states'

const looks = { ok: 'good', warning: 'warn', error: 'bad' }

/** Tests a connection, and offers a sign-in that changes nothing. */
export function Check({ name }: { name: string }) {
  const check = useMutation({ mutationFn: () => post('/api/v1/sso/{name}/check', undefined, { id: name }) })
  return (
    <div className="stack">
      <div className="row">
        <Button busy={check.isPending} onClick={() => check.mutate()}>
          <Icon name="pulse" /> Test connection
        </Button>
        {check.data && <span className={check.data.works ? 'badge good' : 'badge bad'}>{check.data.works ? 'it can work' : 'it cannot work yet'}</span>}
        {check.data && (
          <a href={check.data.trial} target="_blank" rel="noreferrer">
            Try a sign-in; it changes nothing
          </a>
        )}
      </div>
      {check.error && <Problem error={check.error} retry={() => check.mutate()} />}
      {check.data && (
        <dl className="facts" role="status">
          {check.data.findings.map((f) => (
            <div key={f.name}>
              <dt>
                <span className={`badge ${looks[f.level]}`}>{f.name}</span>
              </dt>
              <dd>
                {f.text}
                {f.remedy && <small className="soft"> {f.remedy}</small>}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  )
}
