package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/millrace-dev/millrace/pkg/config"
)

// ignorePositions compares what a configuration says, not where it stands.
var ignorePositions = cmp.Options{cmpopts.IgnoreUnexported(config.Config{}), cmp.Comparer(func(a, b config.Secret) bool { return a == b })}

func TestLoad_ExampleFiles_AreValid(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/*/millrace.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("found %d examples, %v", len(files), err)
	}
	for _, file := range files {
		if _, err := config.Load(file); err != nil {
			t.Errorf("Load(%s):\n%v", file, err)
		}
	}
}

func TestLoad_UnreadableFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#", config.MaxFileBytes+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, path, want string }{
		{"a file that is not there", filepath.Join(dir, "none.yaml"), "does not exist; name one with --config"},
		{"a directory", dir, "is a directory"},
		{"a file over the limit", large, "more than 1MiB; that is the limit"},
	} {
		if _, err := config.Load(row.path); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: Load = %v, want %q", row.name, err, row.want)
		}
	}
}

const minimal = `version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme }]
sinks: { out: { type: http, url: "https://example.com" } }
routes: [{ to: [out] }]
`

func TestParse_Minimal_FillsInDefaults(t *testing.T) {
	t.Parallel()
	url, err := config.NewSecret("https://example.com")
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Version: 1,
		Keys:    []config.Key{{Name: "web", SHA256: "d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9", Tenant: "acme"}},
		Sinks: map[string]config.Sink{"out": {
			Type: config.SinkHTTP, URL: url, Encoding: "ndjson", Compression: "gzip", CompressionLevel: 1,
			Timeout: config.Duration(30 * time.Second),
			Flush:   config.SinkFlush{MaxEvents: 500, MaxBytes: 1 << 20},
			Retry:   config.SinkRetry{MaxInlineWait: config.Duration(5 * time.Second), MaxAttempts: 12, MaxAge: config.Duration(24 * time.Hour)},
			Reply:   "any", Mode: "required",
			Limits:  config.SinkLimits{Concurrency: 8},
			Breaker: config.Breaker{Failures: 5, OpenFor: config.Duration(30 * time.Second)},
		}},
		Routes: []config.Route{{To: []string{"out"}}},
		Flush:  config.Flush{MaxEvents: 500, MaxBytes: 1 << 20, MaxAge: config.Duration(2 * time.Second)},
		Retry:  config.Retry{MaxInlineWait: config.Duration(5 * time.Second), MaxAttempts: 12, MaxAge: config.Duration(24 * time.Hour)},
		Dedup:  config.Dedup{Window: config.Duration(time.Hour), Scope: "pack", WithinFlush: config.On, Hint: 10_000, OnStoreFailure: "open"},
	}
	got := parse(t, minimal)
	if diff := cmp.Diff(want, got, ignorePositions); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
	if err := want.Validate(); err != nil {
		t.Errorf("Validate of the same configuration made in code:\n%v", err)
	}
}

func TestParse_ZeroInTheFile_IsNotADefault(t *testing.T) {
	t.Parallel()
	c := parse(t, minimal+"flush: { max_age: 0s }\nretry: { max_inline_wait: 0s }\n")
	if c.Flush.MaxAge != 0 || c.Sinks["out"].Retry.MaxInlineWait != 0 {
		t.Errorf("flush.max_age = %s, inherited max_inline_wait = %s; want 0s", c.Flush.MaxAge, c.Sinks["out"].Retry.MaxInlineWait)
	}
}

func TestParse_AnchorsAndMergeKeys_AreUnfolded(t *testing.T) {
	t.Parallel()
	c := parse(t, `version: 1
keys: [{ name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: &owner acme }]
sinks:
  first: &base { type: http, url: "https://one.example", timeout: 7s, encoding: json }
  second: { <<: *base, url: "https://two.example" }
  third: { <<: [*base], retry: &patient { max_attempts: 99 } }
routes: [{ match: { tenant: *owner }, to: [first, second, third] }]
retry: *patient
`)
	second, third := c.Sinks["second"], c.Sinks["third"]
	if second.URL.Reveal() != "https://two.example" || second.Encoding != "json" || second.Timeout.Std() != 7*time.Second {
		t.Errorf("second = %+v; want its own URL and the rest of first", second)
	}
	if third.URL.Reveal() != "https://one.example" || c.Retry.MaxAttempts != 99 || c.Routes[0].Match.Tenant != "acme" {
		t.Errorf("third = %+v, retry = %+v, routes = %+v", third, c.Retry, c.Routes)
	}
}

func TestParse_Bombs_AreRefused(t *testing.T) {
	t.Parallel()
	var laughs, merges strings.Builder
	laughs.WriteString("keys:\n  - receivers: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	merges.WriteString("keys:\n  - &b0 { name: x }\n")
	for i := range 8 {
		fmt.Fprintf(&laughs, "  - receivers: &a%d [%s*a%d]\n", i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	for i := range 28 {
		fmt.Fprintf(&merges, "  - &b%d { <<: [*b%d, *b%d] }\n", i+1, i, i)
	}
	const depth, words, unfold = "nested more than 32 levels", "more than 200000 words", "unfold to more than"
	for _, row := range []struct{ name, data, want string }{
		{"brackets in brackets", strings.Repeat("[", 100_000), depth},
		{"lists on one line", strings.Repeat("- ", 100_000), depth},
		{"mappings in braces", strings.Repeat("{a: ", 10_000), depth},
		{"lists over many lines", strings.Repeat("- \n ", 40) + strings.Repeat("- ", 40), depth},
		{"explicit keys", strings.Repeat("? ", 100_000), depth},
		{"anchors on anchors", strings.Repeat("&a ", 100_000), depth},
		{"tags on tags", strings.Repeat("!!x ", 100_000), depth},
		{"a long list", "a: [" + strings.Repeat("a,", 400_000) + "]", words},
		{"aliases of aliases", laughs.String(), "must be a text, not a list"},
		{"merges of merges", merges.String(), unfold},
		{"a merge of itself", "keys: [&k { <<: *k }]\n", unfold},
		{"an alias to itself", "keys: &k [*k]\n", "must be a mapping"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if _, err := config.Parse("bomb.yaml", []byte(row.data)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Parse = %v, want %q", err, row.want)
			}
		})
	}
}

func TestProblems_Unwrap_GivesSingleProblems(t *testing.T) {
	t.Parallel()
	_, err := config.Parse("f.yaml", []byte("version: 1\nkeys: 5\n"))
	var problem config.Problem
	if !errors.As(err, &problem) || problem.File != "f.yaml" || problem.Path == "" {
		t.Errorf("errors.As found %+v in %v", problem, err)
	}
}

func TestConfig_Validate_MadeInCode(t *testing.T) {
	t.Parallel()
	c := parse(t, minimal)
	made := &config.Config{Version: 1, Keys: c.Keys, Sinks: map[string]config.Sink{"out": {Type: "file", Path: "x", Encoding: "json"}}, Routes: c.Routes,
		Flush: config.Flush{MaxEvents: -1}}
	want := "sinks.out.encoding: a sink of type file has no encoding, only http has; remove it"
	err := made.Validate()
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "flush.max_events: must be 1 to 10000") {
		t.Errorf("Validate = %v, want %q and the bounds of flush.max_events", err, want)
	}
}

// Every cold start reads the file once.
func BenchmarkParse_Production(b *testing.B) {
	data, err := os.ReadFile("../../examples/production/millrace.yaml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := config.Parse("millrace.yaml", data); err != nil {
			b.Fatal(err)
		}
	}
}

func TestParse_SinkRules_AreRead(t *testing.T) {
	t.Parallel()
	c := parse(t, strings.Replace(minimal, "type: http,", `type: http, mode: fail_open, reply: json,
    limits: { concurrency: 2, events_per_second: 100 }, breaker: { failures: 3, open_for: 1m },
    responses: [{ status: 409, class: delivered }, { status: 5xx, header: x-reason, header_contains: quota, class: throttled }],
    dead_letters: [{ class: permanent, status: 400-404, save: never }],`, 1))
	got := c.Sinks["out"]
	wantResponses := []config.Response{
		{Status: config.Status{From: 409, To: 409}, Class: "delivered"},
		{Status: config.Status{From: 500, To: 599}, Header: "x-reason", HeaderContains: "quota", Class: "throttled"},
	}
	if diff := cmp.Diff(wantResponses, got.Responses); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}
	wantRules := []config.DeadLetterRule{{Class: "permanent", Status: config.Status{From: 400, To: 404}, Save: "never"}}
	if diff := cmp.Diff(wantRules, got.DeadLetters); diff != "" {
		t.Errorf("dead letter rules (-want +got):\n%s", diff)
	}
	if got.Mode != "fail_open" || got.Reply != "json" || got.Limits != (config.SinkLimits{Concurrency: 2, EventsPerSecond: 100}) ||
		got.Breaker != (config.Breaker{Failures: 3, OpenFor: config.Duration(time.Minute)}) {
		t.Errorf("sink %+v", got)
	}
}

func TestParse_ProcessorsAndDedupRules_AreRead(t *testing.T) {
	t.Parallel()
	c := parse(t, minimal+`
processors:
  - filter: { match: { type: exposure }, keep_if: { field: doLog, equals: true } }
  - filter: { keep_if: { field: /env.name, equals: "true" } }
  - filter: { keep_if: { field: rate, equals: -1.5 } }
dedup:
  within_flush: false
  hint: 0
  rules:
    - { match: { type: exposure }, fields: [flag.key, subject.id] }
    - { fields: [/order.id] }
`)
	exposures := config.Match{Type: "exposure"}
	wantProcessors := []config.Processor{
		{Filter: config.Filter{Match: exposures, KeepIf: config.Condition{Field: "doLog", Equals: "true"}}},
		{Filter: config.Filter{KeepIf: config.Condition{Field: "/env.name", Equals: `"true"`}}},
		{Filter: config.Filter{KeepIf: config.Condition{Field: "rate", Equals: "-1.5"}}},
	}
	if diff := cmp.Diff(wantProcessors, c.Processors); diff != "" {
		t.Errorf("processors (-want +got):\n%s", diff)
	}
	wantRules := []config.DedupRule{{Match: exposures, Fields: []string{"flag.key", "subject.id"}}, {Fields: []string{"/order.id"}}}
	if diff := cmp.Diff(wantRules, c.Dedup.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if c.Dedup.WithinFlush != config.Off || c.Dedup.Hint != 0 {
		t.Errorf("within_flush is %q and hint %d, want off and 0", c.Dedup.WithinFlush, c.Dedup.Hint)
	}
	again := parse(t, string(c.Effective()))
	if diff := cmp.Diff(c, again, ignorePositions); diff != "" {
		t.Errorf("the rendering says something else (-first +second):\n%s\n%s", diff, c.Effective())
	}
}

func TestConfig_Validate_ValueMadeInCode_IsJSON(t *testing.T) {
	t.Parallel()
	c := parse(t, minimal)
	for value, good := range map[config.Value]bool{`"dark"`: true, `5`: true, `false`: true, `dark`: false, `null`: false, `[1]`: false, `5 5`: false} {
		c.Processors = []config.Processor{{Filter: config.Filter{KeepIf: config.Condition{Field: "f", Equals: value}}}}
		if err := c.Validate(); (err == nil) != good {
			t.Errorf("Validate with equals %s: %v", value, err)
		}
	}
}
