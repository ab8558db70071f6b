package clients_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// outcome is what a client's script prints.
type outcome struct{ Body, Attribute, Refusal string }

var want = outcome{Body: "grüße", Attribute: "mühle", Refusal: "QueueDoesNotExist"}

func TestBoto3_EndpointVariableAlone(t *testing.T) {
	t.Parallel()
	python := filepath.Join(pythonHome(t), "bin", "python")
	script, err := filepath.Abs("roundtrip.py")
	if err != nil {
		t.Fatal(err)
	}
	service, endpoint := serve(t)
	check(t, run(t, endpoint, python, script))
	empty(t, service, "boto3")
}

func TestJavaScript_EndpointVariableAlone(t *testing.T) {
	t.Parallel()
	home := javaScriptHome(t)
	service, endpoint := serve(t)
	check(t, run(t, endpoint, "node", filepath.Join(home, "roundtrip.mjs")))
	empty(t, service, "js")
}

func TestCLI_EndpointOption(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(pythonHome(t), "bin")
	service, endpoint := serve(t)
	cli := func(args ...string) string {
		return run(t, endpoint, filepath.Join(bin, "python"), append([]string{filepath.Join(bin, "aws"), "--endpoint-url", endpoint, "--output", "json", "sqs"}, args...)...)
	}
	var made struct{ QueueURL string }
	decode(t, cli("create-queue", "--queue-name", "cli"), &made)
	cli("send-message", "--queue-url", made.QueueURL, "--message-body", "grüße", "--message-attributes", `{"a":{"DataType":"String","StringValue":"mühle"}}`)
	var got struct {
		Messages []struct {
			Body, ReceiptHandle string
			MessageAttributes   map[string]struct{ StringValue string }
		}
	}
	decode(t, cli("receive-message", "--queue-url", made.QueueURL, "--wait-time-seconds", "5", "--message-attribute-names", "All"), &got)
	if len(got.Messages) != 1 || got.Messages[0].Body != want.Body || got.Messages[0].MessageAttributes["a"].StringValue != want.Attribute {
		t.Fatalf("received %+v, want %+v", got, want)
	}
	cli("delete-message", "--queue-url", made.QueueURL, "--receipt-handle", got.Messages[0].ReceiptHandle)
	empty(t, service, "cli")
}

// serve starts an SQS on loopback.
func serve(t *testing.T) (service *sqs.Service, endpoint string) {
	t.Helper()
	service = sqs.New(sqs.Options{})
	t.Cleanup(service.Close)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return service, server.URL
}

// run runs a client with an environment of its own and returns what it prints.
func run(t *testing.T, endpoint, program string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYTHONUTF8=1", "LC_ALL=C.UTF-8",
		"AWS_ENDPOINT_URL=" + endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true",
	}
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, problems.String())
	}
	return string(out)
}

func check(t *testing.T, printed string) {
	t.Helper()
	var got outcome
	decode(t, printed, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the client saw (-want +got):\n%s", diff)
	}
}

func decode(t *testing.T, printed string, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(printed), to); err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
}

// empty checks that the client's delete arrived.
func empty(t *testing.T, service *sqs.Service, queue string) {
	t.Helper()
	depth, err := service.Depth(queue)
	if err != nil || depth.Visible+depth.InFlight != 0 {
		t.Errorf("%s: %+v, %v; want it empty", queue, depth, err)
	}
}

// need finds a program, or skips the test outside of CI.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI needs %s: %v", program, err)
		}
		t.Skipf("%s is not installed: its clients are not tested", program) //nolint:forbidigo // it failed above in CI
	}
}

func pythonHome(t *testing.T) string {
	t.Helper()
	need(t, "python3")
	return installed(t, "requirements.txt", func(home string) [][]string {
		return [][]string{
			{"python3", "-m", "venv", home},
			{filepath.Join(home, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"},
		}
	})
}

func javaScriptHome(t *testing.T) string {
	t.Helper()
	need(t, "npm")
	home := installed(t, "js/package-lock.json", func(home string) [][]string {
		return [][]string{
			{"cp", "js/package.json", "js/package-lock.json", home},
			{"npm", "ci", "--prefix", home, "--silent", "--no-audit", "--no-fund"},
		}
	})
	if out, err := exec.CommandContext(t.Context(), "cp", "js/roundtrip.mjs", home).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return home
}

// installed returns a directory of the user's cache for what a lock file pins. It is filled under another name first, so that an
// interrupted installation is not taken for a finished one, and only one process fills it.
func installed(t *testing.T, lock string, steps func(home string) [][]string) string {
	t.Helper()
	pins, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(cache, "millrace", fmt.Sprintf("clients-%.12x", sha256.Sum256(pins)))
	done := filepath.Join(home, "done")
	unlock := exclusive(t, home+".lock")
	defer unlock()
	if _, err := os.Stat(done); err == nil {
		return home
	}
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps(home) {
		if out, err := exec.CommandContext(t.Context(), step[0], step[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(step, " "), err, out)
		}
	}
	if err := os.WriteFile(done, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return home
}
