package chaos_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/tests/devtest"
)

// compile makes the functions with some files of theirs replaced; the tree itself is not touched. Paths are absolute.
func compile(root, dist, overlay string) error {
	for _, function := range []string{devstack.Ingest, devstack.Flush, devstack.Replay} {
		c := exec.Command("go", "build", "-overlay", overlay, "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false",
			"-o", filepath.Join(dist, function, "bootstrap"), "./functions/"+function)
		c.Dir, c.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", function, err, out)
		}
	}
	return nil
}

// writeOverlay tells the compiler what to read instead of what.
func writeOverlay(path string, replace map[string]string) error {
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// clockDir has the functions with clocks that can be moved, for the time of the tests.
var clockDir = filepath.Join(os.TempDir(), fmt.Sprint("millrace-chaos-clocks-", os.Getpid()))

// withClocks compiles the functions with the package time of testdata, once.
func withClocks(t *testing.T) string {
	t.Helper()
	if err := buildClocks(devtest.Root(t)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(clockDir, "dist")
}

var buildClocks = onceFor(func(root string) error {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	standard := filepath.Join(strings.TrimSpace(string(goroot)), "src", "time")
	text, err := os.ReadFile(filepath.Join(standard, "time.go"))
	if err != nil {
		return err
	}
	const read = "\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(text), read) != 1 {
		return fmt.Errorf("time.Now of this Go does not read the clock by %q", read)
	}
	if err := os.MkdirAll(clockDir, 0o750); err != nil {
		return err
	}
	changed, overlay := filepath.Join(clockDir, "time.go"), filepath.Join(clockDir, "overlay.json")
	moved := strings.Replace(string(text), read, read+"\tsec += chaosSeconds()\n", 1)
	if err := os.WriteFile(changed, []byte(moved), 0o600); err != nil {
		return err
	}
	err = writeOverlay(overlay, map[string]string{
		filepath.Join(standard, "time.go"):        changed,
		filepath.Join(standard, "chaosclocks.go"): filepath.Join(root, "tests", "chaos", "testdata", "clocks.go"),
	})
	if err != nil {
		return err
	}
	return compile(root, filepath.Join(clockDir, "dist"), overlay)
})

// onceFor is sync.OnceValue for a function that needs to be told something, always the same.
func onceFor(do func(string) error) func(string) error {
	var once sync.Once
	var err error
	return func(about string) error {
		once.Do(func() { err = do(about) })
		return err
	}
}
