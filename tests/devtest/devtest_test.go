package devtest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/tests/devtest"
)

const config = `version: 1
keys: [ { name: web, sha256: d12432d28e551982af48b86471e52426804efc91cbff815ab356ba1bc7a3cdf9, tenant: acme } ] # phc_demo
sinks: { archive: { type: file, path: ./out.ndjson } }
routes: [ { to: [archive] } ]
flush: { max_age: 1s }
`

func start(t *testing.T) *devtest.Dev {
	t.Helper()
	path := filepath.Join(t.TempDir(), "millrace.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return devtest.Start(t, devtest.Options{Config: path})
}

// send posts n events.
func send(t *testing.T, api string, n int) {
	t.Helper()
	var body bytes.Buffer
	for i := range n {
		fmt.Fprintf(&body, `{"id":"e%d","type":"order"}`+"\n", i)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api+"/v1/ingest", &body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer phc_demo")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("POST /v1/ingest = %s, want 200", response.Status)
	}
}

// children are the processes whose parent is pid.
func children(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		// "pid (name) state ppid …", where the name may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if fields[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(strings.Split(path, "/")[2])
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, child)
		}
	}
	return found
}

// TestDev_Stop_DrainsAndLeavesNothing: what was accepted just before Ctrl-C is delivered, and no process stays behind.
func TestDev_Stop_DrainsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dev := start(t)
	if dev.API == "" || dev.AWS == "" || !strings.HasPrefix(dev.QueueURL, dev.AWS+"/") || !strings.HasPrefix(dev.DLQURL, dev.AWS+"/") {
		t.Errorf("ready line = %+v, want all addresses", dev)
	}
	send(t, dev.API, 100)
	functions := children(t, dev.PID)
	if len(functions) == 0 {
		t.Error("no function is running after a request")
	}
	dev.Stop()
	written, err := os.ReadFile(filepath.Join(dev.Dir, "out.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(written, []byte{'\n'}); got != 100 {
		t.Errorf("%d events were written, want the 100 that were accepted", got)
	}
	for _, pid := range append(functions, dev.PID) {
		if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); err == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
	if log := dev.Log(); !strings.Contains(log, "stopped: nothing was left on the queues") {
		t.Errorf("log = %s, want it to say what was left", log)
	}
}
