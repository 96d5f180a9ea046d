// Command bundle builds colaflow.mcpb, by which Claude Desktop installs ColaFlow with one
// click: the program for each system, and a manifest that says how to start it. The same
// source and version give the same bytes.
package main

import (
	"archive/zip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bundle", flag.ContinueOnError)
	out := flags.String("o", "dist/colaflow.mcpb", "file to write")
	release := flags.String("version", "devel", "version of the program")
	platforms := flags.String("platforms", "darwin,win32,linux", "systems to build for")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cf-bundle-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var parts []part
	names := strings.Split(*platforms, ",")
	for _, name := range names {
		p, known := systems[name]
		if !known {
			return fmt.Errorf("%q is not a platform; use darwin, win32 or linux", name)
		}
		program, err := p.build(ctx, dir, *release)
		if err != nil {
			return err
		}
		parts = append(parts, part{"server/" + p.file, 0o755, program})
	}
	manifest, err := manifestOf(*release, names)
	if err != nil {
		return err
	}
	return pack(*out, append([]part{{"manifest.json", 0o644, manifest}}, parts...))
}

// system is what a platform's program is built for, and what it is called.
type system struct {
	goos  string
	archs []string
	file  string
}

// systems are the platforms by the manifest's names. One file must do for all processors
// of a platform: macOS has universal programs, Windows runs those of others by itself.
var systems = map[string]system{
	"darwin": {"darwin", []string{"amd64", "arm64"}, "colaflow"},
	"win32":  {"windows", []string{"amd64"}, "colaflow.exe"},
	"linux":  {"linux", []string{"amd64"}, "colaflow-linux"},
}

// build returns the program.
func (s system) build(ctx context.Context, dir, release string) ([]byte, error) {
	var programs [][]byte
	for _, arch := range s.archs {
		file := filepath.Join(dir, s.goos+"-"+arch)
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.release="+release,
			"-o", file, "github.com/colaflow/colaflow/cmd/colaflow")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+s.goos, "GOARCH="+arch)
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build for %s/%s: %w: %s", s.goos, arch, err, text)
		}
		program, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the program: %w", err)
		}
		programs = append(programs, program)
	}
	if len(programs) == 1 {
		return programs[0], nil
	}
	return universal(programs...)
}

// part is a file of the bundle.
type part struct {
	name string
	mode os.FileMode
	data []byte
}

// pack writes the bundle, with the same time on every file.
func pack(name string, parts []part) (err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file, parts)
}

func write(out io.Writer, parts []part) error {
	bundle := zip.NewWriter(out)
	for _, p := range parts {
		header := &zip.FileHeader{Name: p.name, Method: zip.Deflate, Modified: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
		header.SetMode(p.mode)
		w, err := bundle.CreateHeader(header)
		if err == nil {
			_, err = w.Write(p.data)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", p.name, err)
		}
	}
	if err := bundle.Close(); err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	return nil
}
