package emulators_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// startTime is how long a server may take from its start to its first answer.
const startTime = time.Minute

// need returns the path of a program. A machine without it may leave the test out, CI may not.
func need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is needed in CI: %v", program, err)
		}
		t.Skipf("%s is not installed: not tried here, CI does it", program) //nolint:forbidigo // only outside CI
	}
	return path
}

// launch is how localstack/emulator.py would start MiniStack.
type launch struct {
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment"`
}

// ministack installs and starts MiniStack and returns its URL.
func ministack(t testing.TB) string {
	t.Helper()
	python, port := need(t, "python3"), freePort(t)
	scripts, err := filepath.Abs("../../localstack")
	if err != nil {
		t.Fatal(err)
	}
	const ask = `import json, sys
sys.path.insert(0, sys.argv[1])
import emulator
one = emulator.emulators()["ministack"]
emulator.install(one)
print(json.dumps({"command": one.command(), "environment": one.environment()}))`
	command := exec.CommandContext(t.Context(), python, "-B", "-c", ask, scripts)
	command.Env = append(os.Environ(), "EMULATOR_PORT="+port)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		t.Fatalf("install MiniStack: %v\n%s", err, complaint.Bytes())
	}
	var how launch
	if err := json.Unmarshal(out, &how); err != nil {
		t.Fatalf("install MiniStack: %v in %q", err, out)
	}
	dir := t.TempDir()
	how.Environment["HOME"], how.Environment["TMPDIR"] = dir, dir
	server := exec.Command(how.Command[0], how.Command[1:]...)
	for name, value := range how.Environment {
		server.Env = append(server.Env, name+"="+value)
	}
	server.Dir = dir
	return run(t, server, port, "/_ministack/health")
}

// dynalite installs and starts dynalite and returns its URL.
func dynalite(t testing.TB) string {
	t.Helper()
	node, port := need(t, "node"), freePort(t)
	program := filepath.Join("node", "node_modules", "dynalite", "cli.js")
	if _, err := os.Stat(program); err != nil {
		install := exec.CommandContext(t.Context(), need(t, "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = "node"
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}
	server := exec.Command(node, program, "--host", "127.0.0.1", "--port", port, "--createTableMs", "0")
	return run(t, server, port, "/")
}

// run starts a server, waits for its first answer, and ends it with the test.
func run(t testing.TB, server *exec.Cmd, port, health string) string {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatalf("start: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		<-ended
		log.Close()
		if t.Failed() {
			t.Logf("the server said:\n%s", read(log.Name()))
		}
	})
	url := "http://127.0.0.1:" + port
	ctx, stop := context.WithTimeout(t.Context(), startTime)
	defer stop()
	for {
		if answers(ctx, url+health) {
			return url
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended: %v", err)
		case <-ctx.Done():
			t.Fatalf("no answer from %s within %v", url+health, startTime)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// answers says whether there is an HTTP server.
func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer reply.Body.Close()
	_, err = io.Copy(io.Discard, reply.Body)
	return err == nil
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(text)
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}
