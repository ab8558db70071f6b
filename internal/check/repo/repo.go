// Package repo lets the programs and tests behind `make check` find the repository and
// ask the Go tool about it.
package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Module is the import path of this repository.
const Module = "github.com/millrace-dev/millrace"

// Root returns the directory of the module's go.mod, from any directory below it.
func Root(ctx context.Context) (string, error) {
	lines, err := run(ctx, ".", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	if len(lines) != 1 || filepath.Base(lines[0]) != "go.mod" {
		return "", errors.New("find the module: run this inside the repository")
	}
	return filepath.Dir(lines[0]), nil
}

// List runs `go list` at the root with the build tags of the functions and returns the
// lines that it prints.
func List(ctx context.Context, root string, args ...string) ([]string, error) {
	return run(ctx, root, append([]string{"list", "-tags", "lambda.norpc"}, args...)...)
}

func run(ctx context.Context, dir string, args ...string) ([]string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), nil
}
