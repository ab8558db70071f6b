package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const twoBinaries = `mode: set
example.com/m/pkg/a/a.go:1.1,3.2 3 0
example.com/m/pkg/a/a.go:4.1,5.2 1 1
example.com/m/pkg/b/b.go:1.1,3.2 4 1
example.com/m/pkg/b/btest/suite.go:1.1,9.2 50 0
example.com/m/pkg/a/a.go:1.1,3.2 3 1
example.com/m/pkg/b/b.go:9.1,9.2 4 0
`

func TestRead_CountsABlockOnceAndLeavesContractSuitesOut(t *testing.T) {
	t.Parallel()
	p, err := read(strings.NewReader(twoBinaries))
	if err != nil {
		t.Fatal(err)
	}
	got := p.packages()
	want := []share{
		{name: "example.com/m/pkg/b", statements: 8, ran: 4},
		{name: "example.com/m/pkg/a", statements: 4, ran: 4},
	}
	if !slices.Equal(got, want) {
		t.Errorf("packages() = %v, want %v", got, want)
	}
}

func TestRead_RefusesWhatIsNoProfile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "ok  \tpkg\n", "mode: set\nno numbers here\n"} {
		if _, err := read(strings.NewReader(text)); err == nil {
			t.Errorf("read(%q) gave no error", text)
		}
	}
}

func TestRun_FailsBelowTheMinimum(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.out")
	if err := os.WriteFile(path, []byte(twoBinaries), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(path, 66); err != nil {
		t.Errorf("run() = %v for 66.7 %%, want no error at a minimum of 66", err)
	}
	if err := run(path, 67); err == nil {
		t.Error("run() gave no error for 66.7 %, want one at a minimum of 67")
	}
}
