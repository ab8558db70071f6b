package lambda_test

import (
	"os"
	"os/exec"
	"testing"
)

// TestHost_KilledHostLeavesNoProcess holds on Linux only, where the kernel ends the children of a dead host.
func TestHost_KilledHostLeavesNoProcess(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host := exec.Command(self)
	host.Env = []string{roleVariable + "=host", "VICTIM_REPORTS_TO=" + listener.Addr().String(), "GOCOVERDIR=" + t.TempDir()}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	connection := accept(t, listener)
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	awaitDeath(connection)
}
