package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/pkg/config"
)

const smallest = `version: 1
keys: [{name: web, sha256: "` + "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" + `", tenant: acme}]
sinks: {archive: {type: stdout}}
routes: [{to: [archive]}]
`

func TestLoadRuntime_Complete_ReadsTheNamedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "any.yaml")
	if err := os.WriteFile(path, []byte(smallest), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(config.EnvConfig, path)
	t.Setenv(config.EnvQueueURL, "http://sqs/q")
	t.Setenv(config.EnvDeadLetterURL, "http://sqs/dlq")
	t.Setenv(config.EnvBucket, "large-events")
	r, err := config.LoadRuntime()
	if err != nil {
		t.Fatal(err)
	}
	if r.QueueURL != "http://sqs/q" || r.DeadLetterURL != "http://sqs/dlq" || r.Bucket != "large-events" || len(r.Config.Keys) != 1 {
		t.Errorf("runtime is %+v", r)
	}
}

func TestLoadRuntime_Audit_IsOffUnlessOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "any.yaml")
	if err := os.WriteFile(path, []byte(smallest), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(config.EnvConfig, path)
	t.Setenv(config.EnvQueueURL, "http://sqs/q")
	t.Setenv(config.EnvDeadLetterURL, "http://sqs/dlq")
	for value, want := range map[string]bool{"": false, "off": false, "on": true} {
		t.Setenv(config.EnvAudit, value)
		if r, err := config.LoadRuntime(); err != nil || (r.Audit != nil) != want {
			t.Errorf("%s=%q: audit to %v and the error %v, want any: %v, and no error", config.EnvAudit, value, r.Audit, err, want)
		}
	}
	t.Setenv(config.EnvAudit, "yes")
	if _, err := config.LoadRuntime(); err == nil || !strings.Contains(err.Error(), config.EnvAudit) {
		t.Errorf("%s=yes: the error is %v, want one that names the variable", config.EnvAudit, err)
	}
}

func TestLoadRuntime_Incomplete_NamesAllThatIsMissing(t *testing.T) {
	t.Setenv(config.EnvConfig, "")
	t.Setenv(config.EnvQueueURL, "")
	t.Setenv(config.EnvDeadLetterURL, "")
	_, err := config.LoadRuntime()
	if err == nil {
		t.Fatal("an empty environment was accepted")
	}
	for _, want := range []string{config.EnvQueueURL, config.EnvDeadLetterURL, config.FileName} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}
