package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const goodConfig = `version: 1
keys: [ { name: web, sha256: ` + demoHash + `, tenant: acme } ]
sinks: { out: { type: http, url: "${env:SINK_URL}" } }
routes: [ { to: [out] } ]
`

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "millrace.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	bad := goodConfig + "flush: { max_event: 5 }\nretry: { max_age: soon }\n"
	tests := []struct {
		name, file string
		args       []string
		code       int
		out, err   string
	}{
		{"a good file", goodConfig, nil, exitDone, "1 keys, 1 sinks, 1 routes", ""},
		{"all problems at once: the first", bad, nil, exitUsage, "", "flush.max_event"},
		{"all problems at once: the second", bad, nil, exitUsage, "", "retry.max_age"},
		{"a variable that is not set", goodConfig, []string{"--env"}, exitUsage, "", "SINK_URL is not set"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"config", "check", "--config", writeFile(t, test.file)}, test.args...)
			execute(t.Context(), "", args...).want(t, test.code, test.out, test.err)
		})
	}
}

func TestConfigCheck_JSON(t *testing.T) {
	t.Parallel()
	var got struct {
		OK       bool
		Problems []problem
	}
	result := execute(t.Context(), "", "config", "check", "--json", "--config", writeFile(t, goodConfig+"flush: { max_event: 5 }\n"))
	result.decode(t, &got)
	if result.code != exitUsage || got.OK || len(got.Problems) != 1 || got.Problems[0].Path != "flush.max_event" || got.Problems[0].Line != 5 {
		t.Errorf("exit code %d, %+v, want 2 and one problem of flush.max_event in line 5", result.code, got)
	}
	result = execute(t.Context(), "", "config", "check", "--json", "--config", writeFile(t, goodConfig))
	result.decode(t, &got)
	if result.code != exitDone || !got.OK || len(got.Problems) != 0 {
		t.Errorf("exit code %d, %+v, want 0 and no problem", result.code, got)
	}
}

func TestConfigCheck_MissingFile(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none.yaml")
	execute(t.Context(), "", "config", "check", "--config", missing).want(t, exitUsage, "", missing)
	execute(t.Context(), "", "config", "check", "--json", "--config", missing).want(t, exitUsage, missing, "has problems")
}

func TestConfigPrint(t *testing.T) {
	t.Parallel()
	file := writeFile(t, goodConfig)
	if got := execute(t.Context(), "", "config", "print", "--config", file); got.out != goodConfig {
		t.Errorf("printed %q, want the file", got.out)
	}
	effective := execute(t.Context(), "", "config", "print", "--effective", "--config", file)
	effective.want(t, exitDone, "max_attempts: 12", "")
	again := execute(t.Context(), "", "config", "check", "--config", writeFile(t, effective.out))
	again.want(t, exitDone, "is good", "")
	execute(t.Context(), "", "config", "print", "--config", writeFile(t, "version: 2\n")).want(t, exitUsage, "", "version")
}

func TestConfigSchema(t *testing.T) {
	t.Parallel()
	got := execute(t.Context(), "", "config", "schema")
	if got.code != exitDone || !json.Valid([]byte(got.out)) {
		t.Errorf("exit code %d, output %q, want 0 and JSON", got.code, got.out)
	}
}
