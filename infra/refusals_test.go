//nolint:paralleltest // CDK is one Node process, which answers one at a time
package millrace

import (
	"archive/zip"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNewBatchExporter_WhatCannotWork_IsRefusedWithItsRule(t *testing.T) {
	rows := []struct {
		name   string
		change func(t *testing.T, p *BatchExporterProps)
		want   string
	}{
		{"a zip is missing", func(t *testing.T, p *BatchExporterProps) { p.DistDir = t.TempDir() }, "make zip FUNCTION_OS=linux FUNCTION_ARCH=arm64"},
		{"a zip is broken", func(t *testing.T, p *BatchExporterProps) {
			if err := os.WriteFile(filepath.Join(p.DistDir, "flush.zip"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "flush.zip: zip: not a valid zip file; build it again"},
		{"a zip is for the wrong architecture", func(t *testing.T, p *BatchExporterProps) { p.DistDir = writeZips(t, elf.EM_X86_64) }, "is built for EM_X86_64, but Functions.Architecture is arm64"},
		{"a zip holds no bootstrap", withZip("handler", elfHead(elf.EM_AARCH64)), "flush.zip holds no bootstrap"},
		{"a zip is built for another system", withZip("bootstrap", []byte("MZ")), "flush.zip is not built for Linux"},
		{"the configuration is missing", func(_ *testing.T, p *BatchExporterProps) { p.ConfigFile = "nowhere.yaml" }, "nowhere.yaml does not exist"},
		{"a secret is of a kind that nobody resolves", withText("${ssm:/", "${vault:/"), "sinks.warehouse.headers.x-team"},
		{"a secret is not an ARN", withText("arn:aws:secretsmanager:eu-west-1:111122223333:secret:warehouse-AbCdEf", "warehouse"), `"warehouse" is not the whole ARN of a secret`},
		{"an ARN lacks its last six characters", withText("warehouse-AbCdEf", "warehouse"), "with the six characters at its end"},
		{"the configuration has an unknown key", withConfig("surprise: 1"), "surprise"},
		{"an environment reference has no value", func(_ *testing.T, p *BatchExporterProps) { p.Environment = nil }, "${env:PREVIEW_URL} is not known at deployment"},
		{"an environment variable is one of ours", func(_ *testing.T, p *BatchExporterProps) { p.Environment["MILLRACE_CONFIG"] = "x" }, "MILLRACE_CONFIG is set by the construct"},
		{"a batch above 10 has no window", func(t *testing.T, p *BatchExporterProps) {
			withConfig("flush: { max_age: 0s }")(t, p)
			p.Flush.BatchSize = 11
		}, "11 packs need a window"},
		{"the batch is too large", func(_ *testing.T, p *BatchExporterProps) { p.Flush.BatchSize = 10001 }, "Flush.BatchSize: 10001 is not 1 to 10000"},
		{"a window is longer than Lambda allows", withConfig("flush: { max_age: 301s }"), "flush.max_age"},
		{"a window has fractions", withConfig("flush: { max_age: 1500ms }"), "flush.max_age: must be whole seconds"},
		{"a window raises what visibility must be", func(t *testing.T, p *BatchExporterProps) {
			withConfig("flush: { max_age: 300s }")(t, p)
			p.Queue.Visibility = 722 * time.Second
		}, "12m2s is not 17m0s to 12h0m0s"},
		{"the batch is empty", func(_ *testing.T, p *BatchExporterProps) { p.Flush.BatchSize = -1 }, "Flush.BatchSize: -1 is not 1 to 10000"},
		{"visibility is below six timeouts and the window", func(_ *testing.T, p *BatchExporterProps) { p.Queue.Visibility = 721 * time.Second }, "six times the flush timeout"},
		{"visibility is above 12 hours", func(_ *testing.T, p *BatchExporterProps) { p.Queue.Visibility = 13 * time.Hour }, "is not 12m2s to 12h0m0s (SQS"},
		{"ingest outlives the HTTP API", func(_ *testing.T, p *BatchExporterProps) { p.Functions.IngestTimeout = 31 * time.Second }, "the longest that an API of kind http waits"},
		{"ingest outlives the REST API", func(_ *testing.T, p *BatchExporterProps) {
			p.API.Kind, p.Functions.IngestTimeout = APIREST, 30*time.Second
		}, "the longest that an API of kind rest waits"},
		{"a sink outlives the flush", func(_ *testing.T, p *BatchExporterProps) { p.Flush.Timeout = 30 * time.Second }, "sinks.warehouse.timeout: 30s does not fit"},
		{"a flush is longer than Lambda allows", func(_ *testing.T, p *BatchExporterProps) { p.Flush.Timeout = 16 * time.Minute }, "Flush.Timeout: 16m0s is not 1s to 15m0s (Lambda)"},
		{"a timeout has fractions", func(_ *testing.T, p *BatchExporterProps) { p.Flush.Timeout = 60500 * time.Millisecond }, "not a whole number of seconds"},
		{"a replay is longer than Lambda allows", func(_ *testing.T, p *BatchExporterProps) { p.Functions.ReplayTimeout = time.Hour }, "Functions.ReplayTimeout: 1h0m0s"},
		{"flush has too little memory", func(_ *testing.T, p *BatchExporterProps) { p.Flush.MemoryMB = 127 }, "Flush.MemoryMB: 127 is not 128 to 10240"},
		{"ingest has too much memory", func(_ *testing.T, p *BatchExporterProps) { p.Functions.IngestMemoryMB = 10241 }, "Functions.IngestMemoryMB: 10241"},
		{"replay has too little memory", func(_ *testing.T, p *BatchExporterProps) { p.Functions.ReplayMemoryMB = 1 }, "Functions.ReplayMemoryMB: 1"},
		{"a concurrency is negative", func(_ *testing.T, p *BatchExporterProps) { p.Functions.IngestConcurrency = -1 }, "Functions.IngestConcurrency must not be negative"},
		{"fewer flushes are reserved than may run", func(_ *testing.T, p *BatchExporterProps) { p.Flush.Concurrency = 5 }, "Flush.Concurrency: 5 is below Flush.MaxConcurrency, 10"},
		{"concurrency is below 2", func(_ *testing.T, p *BatchExporterProps) { p.Flush.MaxConcurrency = 1 }, "Flush.MaxConcurrency: 1 is not 2 to 1000"},
		{"packs live longer than SQS allows", func(_ *testing.T, p *BatchExporterProps) { p.Queue.Retention = 337 * time.Hour }, "Queue.Retention: 337h0m0s is not 1m0s to 336h0m0s (SQS)"},
		{"letters live longer than SQS allows", func(_ *testing.T, p *BatchExporterProps) { p.Queue.DeadLetterRetention = 337 * time.Hour }, "Queue.DeadLetterRetention: 337h0m0s"},
		{"a pack may never be received", func(_ *testing.T, p *BatchExporterProps) { p.Queue.MaxReceives = -1 }, "Queue.MaxReceives: -1 is not 1 to 1000"},
		{"the API lets nothing in", func(_ *testing.T, p *BatchExporterProps) { p.API.Burst = -1 }, "must be above 0"},
		{"the API is of an unknown kind", func(_ *testing.T, p *BatchExporterProps) { p.API.Kind = "graphql" }, `API.Kind: "graphql" is none of`},
		{"a function URL has a domain", func(_ *testing.T, p *BatchExporterProps) { withDomain(p); p.API.Kind = APIFunctionURL }, "a function URL has no domain of its own"},
		{"the architecture is unknown", func(_ *testing.T, p *BatchExporterProps) { p.Functions.Architecture = "riscv" }, `Functions.Architecture: "riscv" is none of`},
		{"the trigger is unknown", func(_ *testing.T, p *BatchExporterProps) { p.Flush.Trigger = "push" }, `Flush.Trigger: "push" is none of`},
		{"the removal is unknown", func(_ *testing.T, p *BatchExporterProps) { p.Functions.Removal = "maybe" }, `Functions.Removal: "maybe" is none of`},
		{"the log level is unknown", func(_ *testing.T, p *BatchExporterProps) { p.LogLevel = "loud" }, `LogLevel: "loud" is none of`},
		{"an alarm looks at seconds", func(_ *testing.T, p *BatchExporterProps) { p.Alarms.OldestAge = time.Second }, "Alarms.OldestAge: 1s is below a minute"},
		{"a share is above all", func(_ *testing.T, p *BatchExporterProps) { p.Alarms.ClientErrorPercent = 101 }, "Alarms.ClientErrorPercent: 101 is not 1 to 100"},
		{"a replay's schedule is a text", func(_ *testing.T, p *BatchExporterProps) { p.Replay.Schedule = "nightly" }, "Replay.Schedule: \"nightly\" is neither"},
		{"letters do not live as long as packs", func(_ *testing.T, p *BatchExporterProps) { p.Queue.DeadLetterRetention = time.Hour }, "it would be lost"},
		{"the name is too long", func(_ *testing.T, p *BatchExporterProps) { p.Name = strings.Repeat("n", 58) }, "has more than 64 characters"},
		{"the name has odd characters", func(_ *testing.T, p *BatchExporterProps) { p.Name = "mill_räce" }, "is not letters, digits and hyphens"},
		{"an HTTP API has a WAF", func(_ *testing.T, p *BatchExporterProps) { p.API.WebACLARN = "arn" }, "REST APIs only"},
		{"a domain has no certificate", func(_ *testing.T, p *BatchExporterProps) { p.API.DomainName = "a.example" }, "need each other"},
		{"a schedule is a text", func(_ *testing.T, p *BatchExporterProps) { p.Flush.Schedule = "daily" }, "neither rate(5 minutes) nor cron"},
		{"a replay's request is no object", func(_ *testing.T, p *BatchExporterProps) { p.Replay.Request = "[]" }, "is not a JSON object"},
		{"a log group lives 15 days", func(_ *testing.T, p *BatchExporterProps) { p.Functions.LogDays = 15 }, "not 15"},
		{"a table is neither on nor off", func(_ *testing.T, p *BatchExporterProps) { p.Store.Table = "yes" }, `Store.Table: "yes" is none of`},
		{"a bucket is neither on nor off", func(_ *testing.T, p *BatchExporterProps) { p.Store.Bucket = "yes" }, `Store.Bucket: "yes" is none of`},
		{"a switch is neither on nor off", func(_ *testing.T, p *BatchExporterProps) { p.Queue.TLSOnly = "yes" }, `Queue.TLSOnly: "yes" is none of`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			props := goodProps(t)
			row.change(t, &props)
			_, err := NewBatchExporter(newStack(t), "Exporter", &props)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error that says %q", err, row.want)
			}
		})
	}
}

// withConfig puts a line in the place of the configuration's last.
func withConfig(last string) func(t *testing.T, p *BatchExporterProps) {
	return withText("flush: { max_age: 2s }", last)
}

// withText puts another text in the place of one in the configuration.
func withText(old, other string) func(t *testing.T, p *BatchExporterProps) {
	return func(t *testing.T, p *BatchExporterProps) {
		t.Helper()
		content, err := os.ReadFile(p.ConfigFile)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), old) {
			t.Fatalf("%s has no %q", p.ConfigFile, old)
		}
		p.ConfigFile = filepath.Join(t.TempDir(), "millrace.yaml")
		if err := os.WriteFile(p.ConfigFile, []byte(strings.Replace(string(content), old, other, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// withZip puts a file in the place of what is in flush.zip.
func withZip(name string, content []byte) func(t *testing.T, p *BatchExporterProps) {
	return func(t *testing.T, p *BatchExporterProps) {
		t.Helper()
		file, err := os.Create(filepath.Join(p.DistDir, "flush.zip"))
		if err != nil {
			t.Fatal(err)
		}
		archive := zip.NewWriter(file)
		entry, err := archive.Create(name)
		if err == nil {
			_, err = entry.Write(content)
		}
		if err := errors.Join(err, archive.Close(), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheckStackName_OddNames_AreRefused(t *testing.T) {
	rows := []struct{ name, stack, want string }{
		{"letters, digits and hyphens", "millrace-2-prod", ""},
		{"the longest", strings.Repeat("n", 57), ""},
		{"one more", strings.Repeat("n", 58), "has more than 64 characters (Lambda)"},
		{"no name", "", "is not letters, digits and hyphens"},
		{"a digit first", "2prod", "after a letter"},
		{"a hyphen first", "-c", "after a letter"},
		{"an underscore", "mill_race", "is not letters"},
		{"a dot", "mill.race", "is not letters"},
		{"a blank", "mill race", "is not letters"},
		{"a slash", "a/b", "is not letters"},
		{"a line end", "prod\n", "is not letters"},
		{"letters of other alphabets", "mühle", "is not letters"},
		{"what a shell would run", "$(id)", "is not letters"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := CheckStackName(row.stack)
			if row.want == "" && err != nil {
				t.Errorf("%q: got %v, want no error", row.stack, err)
			}
			if row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%q: got %v, want an error that says %q", row.stack, err, row.want)
			}
		})
	}
}
