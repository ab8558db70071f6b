package sdk

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// nodeVersion is the SDK's, as node/package.json and its lock file pin it.
const nodeVersion = "5.70.0"

func TestPostHogNode_EveryEventArrives(t *testing.T) {
	t.Parallel()
	node := installNode(t)
	s := start(t)
	command := exec.CommandContext(t.Context(), node, "send.mjs", s.API, key, strconv.Itoa(events))
	command.Dir = "node"
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("send.mjs: %v", err)
	}
	ids := strings.Fields(string(out))
	if len(ids) != events {
		t.Fatalf("send.mjs captured %d events, want %d", len(ids), events)
	}
	s.wantExactly(t, ids)
}

// installNode returns the path of node, with the SDK installed. A machine without Node may leave the test out, CI may not.
func installNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("node is needed in CI: %v", err)
		}
		t.Skip("node is not installed: posthog-node is not tried here, CI does it") //nolint:forbidigo // only outside CI
	}
	if installedVersion(t) == nodeVersion {
		return node
	}
	command := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	command.Dir = "node"
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if got := installedVersion(t); got != nodeVersion {
		t.Fatalf("npm ci installed posthog-node %q, want %s", got, nodeVersion)
	}
	return node
}

// installedVersion is empty when the SDK is not installed.
func installedVersion(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("node", "node_modules", "posthog-node", "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	var manifest struct{ Version string }
	if err == nil {
		err = json.Unmarshal(data, &manifest)
	}
	if err != nil {
		t.Fatal(err)
	}
	return manifest.Version
}
