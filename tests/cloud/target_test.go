package cloud

import (
	"cmp"
	"flag"
	"net/url"
	"os"
	"strings"
	"testing"
)

var (
	targetName = flag.String("target", "", "ministack, localstack or aws; without one, nothing is tested")
	endpoint   = flag.String("endpoint", "", "URL of the emulator; empty for AWS")
	cdkCommand = flag.String("cdk", "", "path of the CDK command line")
	enforceIAM = flag.Bool("iam", false, "the emulator enforces IAM")
)

// What a target may do differently than AWS.
const (
	gzipBodies     = "gzip bodies"
	stackUpdates   = "stack updates"
	stackDestroys  = "stack destruction"
	drainSchedules = "EventBridge Scheduler"
	sharedTable    = "the dedup table"
)

// differences are all known differences of the targets, each with its reason. What is not
// in here must work.
func differences() map[string]map[string]string {
	return map[string]map[string]string{
		"aws":       {},
		"ministack": {},
		"localstack": {
			gzipBodies:     "LocalStack 4.13 unpacks gzip bodies itself and calls them identity, so only that they arrive is tested; x-gzip and zstd keep their bytes",
			stackUpdates:   "LocalStack 4.13 fails to update the stage of a REST API (\"Stage already exists\") and leaves the API broken; MiniStack shows updates",
			stackDestroys:  "LocalStack 4.13 fails to delete permissions of the API; MiniStack shows destruction",
			sharedTable:    "LocalStack 4.13 downloads DynamoDB Local when a table is made, so its stack has none and each environment of flush remembers for itself; MiniStack shows the table",
			drainSchedules: "LocalStack 4.13 stores schedules and never fires them, so its stack has an EventBridge rule instead; MiniStack shows the Scheduler",
		},
	}
}

// differs says whether the target is known to differ, and logs why.
func differs(t *testing.T, what string) bool {
	t.Helper()
	reason, known := differences()[*targetName][what]
	if known {
		t.Logf("known difference: %s", reason)
	}
	return known
}

// apiURL is where the API of the stack's output answers on this target: an emulator has no
// DNS for it.
func apiURL(t *testing.T, output string) string {
	t.Helper()
	output = strings.TrimSuffix(output, "/")
	if *endpoint == "" {
		return output
	}
	u, err := url.Parse(output)
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(u.Host, ".")
	return *endpoint + "/_aws/execute-api/" + id + u.Path
}

// environment is that of the CDK command line and of `millrace`.
func environment() []string {
	if *endpoint == "" {
		return os.Environ()
	}
	return append(os.Environ(),
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION="+region(),
		"AWS_ENDPOINT_URL="+*endpoint, "AWS_ENDPOINT_URL_S3="+*endpoint)
}

func region() string { return cmp.Or(os.Getenv("AWS_REGION"), "us-east-1") }
