package config_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-dev/millrace/pkg/config"
)

const secretFile = `version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }]
sinks:
  out:
    type: http
    url: "${env:SINK_URL}/in"
    headers:
      authorization: "Bearer ${secret:arn:aws:x#token}"
      x-api-key: "${ssm:/key}${env:SUFFIX}"
      x-plain: "a $${literal}"
routes: [{ to: [out] }]
`

// values resolves from a map.
type values map[string]string

func (v values) Resolve(_ context.Context, r config.Reference) (string, error) {
	if value, known := v[r.String()]; known {
		return value, nil
	}
	return "", fmt.Errorf("%s is not there", r)
}

func parse(t *testing.T, data string) *config.Config {
	t.Helper()
	c, err := config.Parse("millrace.yaml", []byte(data))
	if err != nil {
		t.Fatalf("Parse:\n%v", err)
	}
	return c
}

func resolved(t *testing.T) config.Sink {
	t.Helper()
	c := parse(t, secretFile)
	if err := c.Resolve(t.Context(), values{
		"${env:SINK_URL}": "https://example.com", "${secret:arn:aws:x#token}": "s3cr3t", "${ssm:/key}": "s3", "${env:SUFFIX}": "cr3t",
	}); err != nil {
		t.Fatalf("Resolve:\n%v", err)
	}
	return c.Sinks["out"]
}

func TestConfig_Resolve_FillsInValues(t *testing.T) {
	t.Parallel()
	sink := resolved(t)
	got := []string{sink.URL.Reveal(), sink.Headers["authorization"].Reveal(), sink.Headers["x-api-key"].Reveal(), sink.Headers["x-plain"].Reveal()}
	want := []string{"https://example.com/in", "Bearer s3cr3t", "s3cr3t", "a ${literal}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestConfig_Resolve_ReportsEverythingMissing(t *testing.T) {
	t.Parallel()
	c := parse(t, secretFile)
	err := c.Resolve(t.Context(), values{"${env:SUFFIX}": "x"})
	want := strings.TrimSpace(`
millrace.yaml:6: sinks.out.url: ${env:SINK_URL} is not there
millrace.yaml:8: sinks.out.headers.authorization: ${secret:arn:aws:x#token} is not there
millrace.yaml:9: sinks.out.headers.x-api-key: ${ssm:/key} is not there`)
	if err == nil || err.Error() != want {
		t.Errorf("Resolve:\n%v\nwant:\n%s", err, want)
	}
	if value := c.Sinks["out"].Headers["x-api-key"].Reveal(); value != "" {
		t.Errorf("a value is filled in after an error: %q", value)
	}
}

func TestConfig_Resolve_RefusesBadValues(t *testing.T) {
	t.Parallel()
	all := values{"${env:SINK_URL}": "example.com", "${secret:arn:aws:x#token}": "two\nlines", "${ssm:/key}": "a", "${env:SUFFIX}": "b"}
	err := parse(t, secretFile).Resolve(t.Context(), all)
	want := strings.TrimSpace(`
millrace.yaml:6: sinks.out.url: with its references resolved, the URL must start with http:// or https://
millrace.yaml:8: sinks.out.headers.authorization: the value of ${secret:arn:aws:x#token} has a line break; remove it`)
	if err == nil || err.Error() != want {
		t.Errorf("Resolve:\n%v\nwant:\n%s", err, want)
	}
}

func TestEnvResolver_Resolve_KnowsTheEnvironmentOnly(t *testing.T) {
	t.Setenv("MILLRACE_TEST_SECRET", "value")
	t.Setenv("MILLRACE_TEST_EMPTY", "")
	for _, row := range []struct {
		name      string
		reference config.Reference
		want      string
		wantErr   string
	}{
		{"a variable", config.Reference{Scheme: config.SchemeEnv, Name: "MILLRACE_TEST_SECRET"}, "value", ""},
		{"an empty variable", config.Reference{Scheme: config.SchemeEnv, Name: "MILLRACE_TEST_EMPTY"}, "", "MILLRACE_TEST_EMPTY is not set"},
		{"a missing variable", config.Reference{Scheme: config.SchemeEnv, Name: "MILLRACE_TEST_NONE"}, "", "MILLRACE_TEST_NONE is not set"},
		{"a secret of AWS", config.Reference{Scheme: config.SchemeSecret, Name: "arn"}, "", "not available here"},
		{"a parameter of AWS", config.Reference{Scheme: config.SchemeSSM, Name: "/a"}, "", "not available here"},
	} {
		got, err := config.EnvResolver().Resolve(t.Context(), row.reference)
		if got != row.want || (err == nil) != (row.wantErr == "") || err != nil && !strings.Contains(err.Error(), row.wantErr) {
			t.Errorf("%s: Resolve(%s) = %q, %v; want %q, %q", row.name, row.reference, got, err, row.want, row.wantErr)
		}
	}
}

func TestSecret_HoweverPrinted_ShowsNoValue(t *testing.T) {
	t.Parallel()
	sink := resolved(t)
	secret := sink.Headers["x-api-key"]
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("sink", "secret", secret, "sink", sink)
	asJSON, err := json.Marshal(sink)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(sink)
	if err != nil {
		t.Fatal(err)
	}
	for how, text := range map[string]string{
		"slog": log.String(), "json": string(asJSON), "yaml": string(asYAML), "error": errors.New(secret.String()).Error(),
		"%v": fmt.Sprintf("%v", secret), "%+v": fmt.Sprintf("%+v %+v", secret, sink), "String": secret.String(),
		"%#v": fmt.Sprintf("%#v %#v", secret, sink), "%q": fmt.Sprintf("%q", secret), "pointer": fmt.Sprintf("%v %#v", &secret, &secret),
	} {
		if strings.Contains(text, "s3cr3t") || !strings.Contains(text, "${ssm:/key}") {
			t.Errorf("%s: want the reference and not the value, got %s", how, text)
		}
	}
}

func TestSecret_References_InOrder(t *testing.T) {
	t.Parallel()
	s, err := config.NewSecret("a ${env:A} $${env:B} ${ssm:/c}")
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Reference{{Scheme: "env", Name: "A"}, {Scheme: "ssm", Name: "/c"}}
	if diff := cmp.Diff(want, s.References()); diff != "" {
		t.Errorf("References (-want +got):\n%s", diff)
	}
	if s.Reveal() != "" {
		t.Errorf("Reveal = %q before it is resolved, want nothing", s.Reveal())
	}
}

func TestNewSecret_EscapedText_IsItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		unescaped := func(text string) bool { return !strings.Contains(text, "$${") }
		text := rapid.StringMatching(`[a${}:]{0,12}`).Filter(unescaped).Draw(t, "text")
		s, err := config.NewSecret(strings.ReplaceAll(text, "${", "$${"))
		if err != nil || s.Reveal() != text {
			t.Errorf("NewSecret of escaped %q reveals %q, %v", text, s.Reveal(), err)
		}
	})
}
