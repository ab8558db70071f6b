package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Help is wrapped at the terminal's width, and flags have defaults from the environment.
	for _, name := range []string{"COLUMNS", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CONFIG_FILE"} {
		_ = os.Unsetenv(name)
	}
	goleak.VerifyTestMain(m)
}

// outcome is what a command line did.
type outcome struct {
	code     int
	out, err string
}

// execute runs a command line as main does.
func execute(ctx context.Context, stdin string, args ...string) outcome {
	var out, err bytes.Buffer
	c := &console{in: strings.NewReader(stdin), out: &out, err: &err, getenv: func(string) string { return "" }}
	code := run(ctx, args, c)
	return outcome{code: code, out: out.String(), err: err.String()}
}

// want fails the test unless the exit code is code and both texts hold what they should.
func (o outcome) want(t *testing.T, code int, out, err string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code = %d, want %d", o.code, code)
	}
	if !strings.Contains(o.out, out) {
		t.Errorf("standard output = %q, want it to hold %q", o.out, out)
	}
	if !strings.Contains(o.err, err) {
		t.Errorf("standard error = %q, want it to hold %q", o.err, err)
	}
	if t.Failed() {
		t.Logf("standard output:\n%s\nstandard error:\n%s", o.out, o.err)
	}
}

// decode reads the one JSON value on standard output.
func (o outcome) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(o.out), into); err != nil {
		t.Fatalf("standard output %q: %v (standard error: %s)", o.out, err, o.err)
	}
}

func TestRun_CommandLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		args     []string
		code     int
		out, err string
	}{
		{"nothing shows the help", nil, exitDone, "Usage: millrace <command>", ""},
		{"help is no failure, whatever is missing", []string{"dlq", "show", "--help"}, exitDone, "millrace dlq show <id>", ""},
		{"an unknown command", []string{"dve"}, exitUsage, "", `did you mean one of "dev"`},
		{"an unknown flag names the command's help", []string{"dlq", "ls", "--sinc", "x"}, exitUsage, "", "millrace dlq ls --help"},
		{"a missing argument", []string{"keys", "hash"}, exitUsage, "", `expected "<key>"`},
		{"an endpoint that is no URL", []string{"status", "--aws", "localhost"}, exitUsage, "", "is not a URL such as http://127.0.0.1:4577"},
		{"nothing at the endpoint", []string{"status", "--aws", "http://127.0.0.1:1"}, exitUnreachable, "", "nothing answers at http://127.0.0.1:1\nStart it with: millrace dev"},
		{"nothing to replay from", []string{"replay", "--aws", "http://127.0.0.1:1"}, exitUnreachable, "", "nothing answers"},
		{"nothing to list", []string{"dlq", "ls", "--aws", "http://127.0.0.1:1"}, exitUnreachable, "", "nothing answers"},
		{"nothing to count", []string{"dlq", "stats", "--aws", "http://127.0.0.1:1"}, exitUnreachable, "", "nothing answers"},
		{"nothing to show", []string{"dlq", "show", "a", "--aws", "http://127.0.0.1:1"}, exitUnreachable, "", "nothing answers"},
		{"nothing to send to", []string{"send", "--url", "http://127.0.0.1:1"}, exitUnreachable, "0 sent", "nothing answers"},
		{"a time that is none", []string{"dlq", "ls", "--since", "yesterday"}, exitUsage, "", "neither a time such as"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			execute(t.Context(), "", test.args...).want(t, test.code, test.out, test.err)
		})
	}
}
