package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// servesVariable makes this test binary the server that a fleet starts from its own program.
const servesVariable = "BENCH_SQS_SERVES"

func TestMain(m *testing.M) {
	if os.Getenv(servesVariable) != "" && len(os.Args) > 1 && os.Args[1] == "-serve" {
		if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestRun_Table runs everything that needs no other program, shortly: each server works, is emptied of what it deleted, and has its row.
func TestRun_Table(t *testing.T) {
	t.Setenv(servesVariable, "yes")
	var out bytes.Buffer
	// How fast it was is of no interest here; a broken promise is an error, and so may stand there.
	err := run(t.Context(), []string{"-deep", "100", "-rounds", "1", "-slice", "50ms"}, &out)
	if err != nil && !strings.Contains(err.Error(), "want") {
		t.Fatal(err)
	}
	for _, row := range []string{
		"| embedded, in memory | loopback | 0 |", "| embedded, in memory | loopback | 100 |", "| embedded, in memory | in process | 0 |",
		"| embedded, durable | loopback | 0 |", "| embedded, durable | loopback | 100 |",
	} {
		if !strings.Contains(out.String(), row) {
			t.Errorf("no row %s in\n%s", row, &out)
		}
	}
}

func TestPromises(t *testing.T) {
	t.Parallel()
	row := func(name, transport string, deep int, rates ...float64) *subject {
		s := &subject{name: name, transport: transport, deep: deep}
		for _, rate := range rates {
			s.samples = append(s.samples, sample{rate, time.Microsecond})
		}
		return s
	}
	fat := row(embeddedMemory, loopback, 1000, 20_000)
	fat.full = 1000 * mostResident
	tests := []struct {
		name     string
		subjects []*subject
		broken   string
	}{
		{"the median counts", []*subject{row(embeddedMemory, loopback, 0, 1, 18_000, 90_000)}, ""},
		{"slow in memory", []*subject{row(embeddedMemory, loopback, 0, 17_999)}, "want 18000"},
		{"slow on disk", []*subject{row(embeddedDurable, loopback, 0, 11_999)}, "want 12000"},
		{"slow in process", []*subject{row(embeddedMemory, inProcess, 0, 29_999)}, "want 30000"},
		{"others may be slow", []*subject{row("goaws", loopback, 0, 1)}, ""},
		{"80 % deep", []*subject{row(embeddedDurable, loopback, 0, 20_000), row(embeddedDurable, loopback, 10, 16_000)}, ""},
		{"less deep", []*subject{row(embeddedDurable, loopback, 0, 20_000), row(embeddedDurable, loopback, 10, 15_999)}, "want 80 %"},
		{"fat", []*subject{row(embeddedMemory, loopback, 0, 20_000), fat}, "2048 bytes resident"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := promises(test.subjects)
			if (err != nil) != (test.broken != "") || err != nil && !strings.Contains(err.Error(), test.broken) {
				t.Errorf("promises = %v, want %q", err, test.broken)
			}
		})
	}
}
