package main

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// program is the head of a program of macOS, with something after it.
func program(cpu macho.Cpu, sub uint32, size int) []byte {
	var head []byte
	for _, field := range []uint32{macho.Magic64, uint32(cpu), sub, uint32(macho.TypeExec), 0, 0, 0, 0} {
		head = binary.LittleEndian.AppendUint32(head, field)
	}
	return append(head, bytes.Repeat([]byte{byte(cpu)}, size)...)
}

func TestUniversal(t *testing.T) {
	t.Parallel()
	intel, apple := program(macho.CpuAmd64, 3, 20_001), program(macho.CpuArm64, 0, 5)
	both, err := universal(intel, apple)
	require.NoError(t, err)
	file, err := macho.NewFatFile(bytes.NewReader(both))
	require.NoError(t, err)
	require.Len(t, file.Arches, 2)
	for n, want := range [][]byte{intel, apple} {
		arch := file.Arches[n]
		require.Equal(t, want, both[arch.Offset:arch.Offset+arch.Size])
		require.Zero(t, arch.Offset%(1<<arch.Align))
	}
	require.Equal(t, []macho.Cpu{macho.CpuAmd64, macho.CpuArm64}, []macho.Cpu{file.Arches[0].Cpu, file.Arches[1].Cpu})
	_, err = universal([]byte("MZ"), apple)
	require.ErrorContains(t, err, "macOS")
}

func TestManifest(t *testing.T) {
	t.Parallel()
	text, err := manifestOf("v1.2.3", []string{"darwin", "win32", "linux"})
	require.NoError(t, err)
	var m struct {
		Version string
		Server  struct {
			Config struct {
				Command   string
				Overrides map[string]struct{ Command string } `json:"platform_overrides"`
			} `json:"mcp_config"`
		}
	}
	require.NoError(t, json.Unmarshal(text, &m))
	require.Equal(t, "1.2.3", m.Version)
	require.Equal(t, "${__dirname}/server/colaflow", m.Server.Config.Command)
	require.Equal(t, "${__dirname}/server/colaflow.exe", m.Server.Config.Overrides["win32"].Command)
	require.Equal(t, "${__dirname}/server/colaflow-linux", m.Server.Config.Overrides["linux"].Command)
}

func TestSemantic(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]string{"v1.2.3": "1.2.3", "1.2.3": "1.2.3", "v1.2.3-4-gabc-dirty": "1.2.3-4-gabc-dirty",
		"devel": "0.0.0-build.devel", "ab12-dirty": "0.0.0-build.ab12-dirty", "a b/c": "0.0.0-build.a-b-c"} {
		require.Equal(t, want, semantic(release))
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run(t.Context(), []string{"-platforms", "beos"}), "not a platform")
	var once, again bytes.Buffer
	parts := []part{{"manifest.json", 0o644, []byte("{}")}, {"server/colaflow", 0o755, []byte("x")}}
	require.NoError(t, write(&once, parts))
	require.NoError(t, write(&again, parts))
	require.Equal(t, once.Bytes(), again.Bytes())
	require.Error(t, write(broken{}, parts))
}

type broken struct{ io.Writer }

func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
