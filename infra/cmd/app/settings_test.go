package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	infra "github.com/millrace-dev/millrace/infra"
)

// given are settings that stand in a map.
func given(values map[string]string) settings {
	return func(name string) string { return values[name] }
}

func TestSettings_Props_AreWhatWasSaid(t *testing.T) {
	t.Setenv("TOKEN", "from the environment")
	got, err := given(map[string]string{
		"config": "a.yaml", "dist": "out", "log-level": "debug", "env": "A=1,B=x=y,TOKEN", "api": "rest", "domain": "d.example",
		"certificate": "c", "web-acl": "w", "key": "k", "max-receives": "7", "table": "off", "bucket": "on", "architecture": "x86_64",
		"removal": "retain", "tracing": "on", "audit": "on", "trigger": "both", "schedule": "rate(1 day)", "flush-timeout": "90s",
		"replay-schedule": "rate(2 days)", "replay-request": "{}", "alarm-topic": "t", "runbooks": "r", "dashboard": "off",
	}).props()
	if err != nil {
		t.Fatal(err)
	}
	want := infra.BatchExporterProps{
		ConfigFile: "a.yaml", DistDir: "out", LogLevel: "debug",
		Environment: map[string]string{"A": "1", "B": "x=y", "TOKEN": "from the environment"},
		API:         infra.APIProps{Kind: "rest", DomainName: "d.example", CertificateARN: "c", WebACLARN: "w"},
		Queue:       infra.QueueProps{KeyARN: "k", MaxReceives: 7},
		Store:       infra.StoreProps{Table: "off", Bucket: "on"},
		Functions:   infra.FunctionProps{Architecture: "x86_64", Removal: "retain", Tracing: "on", Audit: "on"},
		Flush:       infra.FlushProps{Trigger: "both", Schedule: "rate(1 day)", Timeout: 90 * time.Second},
		Replay:      infra.ReplayProps{Schedule: "rate(2 days)", Request: "{}"},
		Alarms:      infra.AlarmProps{TopicARN: "t", RunbookURL: "r", Dashboard: "off"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("props (-want +got):\n%s", diff)
	}
}

func TestBuild_WrongSettings_AreRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		values map[string]string
		want   string
	}{
		{"no configuration", nil, "name one with -c config=millrace.yaml"},
		{"a timeout that is none", map[string]string{"config": "a.yaml", "flush-timeout": "90"}, "-c flush-timeout=90: write a duration such as 90s"},
		{"a number that is none", map[string]string{"config": "a.yaml", "max-receives": "few"}, "-c max-receives=few: write a whole number"},
		{"an unknown target", map[string]string{"config": "a.yaml", "target": "azure"}, `target "azure" is none of`},
		{"an odd stack name", map[string]string{"config": "a.yaml", "stack": "my_stack"}, `"my_stack" is not letters, digits and hyphens`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			err := build(nil, given(row.values)) // the app is not reached
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error that says %q", err, row.want)
			}
		})
	}
}
