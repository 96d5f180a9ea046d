package clients

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNPM does the jobs with the npm packages that hosts are built on. They
// check every structured result against its tool's output schema.
func TestNPM(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, protocol := range map[string]string{"sdk": legacy, "client": modern} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, transport := range []string{"http", "stdio", "bridge"} {
				tenant := name + "-" + transport
				o := b.office(t, tenant)
				t.Run(transport+"/agent", func(t *testing.T) { b.drive(t, name, transport, o.agent, protocol, agentJob(tenant)) })
				t.Run(transport+"/reader", func(t *testing.T) { b.drive(t, name, transport, o.reader, protocol, readerJob()) })
			}
		})
	}
}

// drive hands a job to a driver and checks what came of it.
func (b *bundle) drive(t *testing.T, driver, transport, token, protocol string, job []step) {
	t.Helper()
	work := args{"steps": job}
	if transport == "http" {
		work["url"], work["headers"] = b.url, args{"Authorization": "Bearer " + token}
	} else {
		env := args{}
		for _, variable := range b.stdio(transport, token) {
			name, value, _ := strings.Cut(variable, "=")
			env[name] = value
		}
		work["command"], work["env"] = b.bin, env
	}
	cmd := nodeCommand(t, "drivers/"+driver+".js")
	if b.roots != "" {
		cmd.Env = append(cmd.Env, "NODE_EXTRA_CA_CERTS="+b.roots)
	}
	cmd.Stdin = bytes.NewReader(mustJSON(t, work))
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	require.NoError(t, err, errors.String())
	var done answers
	require.NoError(t, json.Unmarshal(out, &done), string(out))
	done.check(t, protocol, job)
}
