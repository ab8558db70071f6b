package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func function(t *testing.T, binary string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ingest")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(binary), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRun_PacksAnExecutableBootstrap(t *testing.T) {
	t.Parallel()
	dir := function(t, "binary")
	if err := run(io.Discard, []string{dir}, 1000); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(dir + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
		t.Fatalf("the zip holds %+v, want bootstrap, executable, and nothing else", z.File[0].FileHeader)
	}
	file, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(file); string(got) != "binary" || err != nil {
		t.Errorf("bootstrap holds %q, %v, want the binary", got, err)
	}
}

func TestPack_SameBinaryGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	binary := bytes.Repeat([]byte("some machine code "), 1000)
	first, err := pack(binary)
	if err != nil {
		t.Fatal(err)
	}
	second, err := pack(binary)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two zips of one binary differ")
	}
}

func TestRun_NamesEveryZipOverBudget(t *testing.T) {
	t.Parallel()
	one, two := function(t, "binary"), function(t, "binary")
	err := run(io.Discard, []string{one, two}, 10)
	if err == nil || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), two) {
		t.Errorf("run() = %v, want an error that names both zips", err)
	}
}

func TestRun_NothingToPackIsAnError(t *testing.T) {
	t.Parallel()
	if err := run(io.Discard, nil, 1000); err == nil {
		t.Error("run() of no functions gave no error")
	}
	if err := run(io.Discard, []string{t.TempDir()}, 1000); err == nil {
		t.Error("run() of a directory without bootstrap gave no error")
	}
}
