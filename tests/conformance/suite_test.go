package conformance_test

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	local "github.com/millrace-dev/millrace/internal/localaws/sqs"
)

const (
	// endpointVariable and serverVariable name a running server and its column in deviations.json.
	endpointVariable = "CONFORMANCE_ENDPOINT"
	serverVariable   = "CONFORMANCE_SERVER"
	// patience bounds one case; the slowest emulator needs 44 ms a call, and dead letters of LocalStack come in 3 s.
	patience = time.Minute
	// sideBySide is how many cases run at a time.
	sideBySide = 32
	// mostReason cuts what -update writes for a new deviation.
	mostReason = 160
	// embedded is the column of the embedded AWS.
	embedded = "embedded"
)

var update = flag.Bool("update", false, "rewrite the server's column of deviations.json")

// trial is one case.
type trial struct {
	// id is "topic/what is expected", unique.
	id string
	// page is the documentation it pins, without host and suffix.
	page string
	// check returns how the server differs from AWS.
	check func(s *session) error
}

// trials are all cases.
func trials() []trial {
	return slices.Concat(queueTrials(), attributeTrials(), sendTrials(), messageTrials(), receiveTrials(), batchTrials(), visibilityTrials(),
		redriveTrials(), moveTrials())
}

//go:embed deviations.json
var deviationsFile []byte

// deviations returns how a server is known to differ from AWS, by case.
func deviations(t *testing.T, server string) map[string]string {
	t.Helper()
	var table map[string]map[string]string
	if err := json.Unmarshal(deviationsFile, &table); err != nil {
		t.Fatal(err)
	}
	column, ok := table[server]
	if !ok {
		t.Fatalf("deviations.json has no column %q", server)
	}
	return column
}

func TestEmbedded_Loopback(t *testing.T) {
	t.Parallel()
	service := local.New(local.Options{})
	t.Cleanup(service.Close)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	run(t, embedded, newClient(server.URL, server.Client()))
}

func TestEmbedded_InProcess(t *testing.T) {
	t.Parallel()
	service := local.New(local.Options{})
	t.Cleanup(service.Close)
	run(t, embedded, newClient("http://sqs.test", inprocess.Transport{Handler: service}))
}

// TestServer runs against the server that the environment names; the Makefile's conformance targets set it.
func TestServer(t *testing.T) {
	t.Parallel()
	endpoint, name := os.Getenv(endpointVariable), os.Getenv(serverVariable)
	if endpoint == "" {
		t.Skipf("%s is not set: this is for make conformance-NAME", endpointVariable) //nolint:forbidigo // the embedded AWS is held to the same cases above
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	run(t, name, newClient(endpoint, &http.Client{Transport: transport}))
}

// run holds a server to all cases and to its column. The cases mostly wait, so that they run side by side, whatever -parallel says.
func run(t *testing.T, server string, client *sqs.Client) {
	t.Helper()
	known, all := deviations(t, server), trials()
	problems := make([]error, len(all))
	var running sync.WaitGroup
	places := make(chan struct{}, sideBySide)
	for i, c := range all {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			problems[i] = try(t.Context(), c, client)
		})
	}
	running.Wait()
	if *update {
		rewrite(t, server, all, problems)
		return
	}
	for i, c := range all {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			if text := disagrees(c, known, problems[i]); text != "" {
				t.Error(text)
			}
		})
	}
	for id := range known {
		if !slices.ContainsFunc(all, func(c trial) bool { return c.id == id }) {
			t.Errorf("deviations.json lists %s for %s, and there is no such case", id, server)
		}
	}
}

// stuck is the panic of a case that cannot go on.
type stuck struct{ error }

// try runs one case.
func try(ctx context.Context, c trial, client *sqs.Client) (problem error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := &session{ctx: ctx, client: client}
	defer s.cleanUp()
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case stuck:
			problem = cause.error
		default:
			problem = fmt.Errorf("the server's reply lacks something: %v", cause) // a nil pointer of the SDK
		}
	}()
	return c.check(s)
}

// rewrite writes a server's column anew. Explanations that are there stay; new ones are for a person to put into words.
func rewrite(t *testing.T, server string, all []trial, problems []error) {
	t.Helper()
	var table map[string]map[string]string
	if err := json.Unmarshal(deviationsFile, &table); err != nil {
		t.Fatal(err)
	}
	column := map[string]string{}
	for i, c := range all {
		if problems[i] == nil {
			continue
		}
		reason := strings.Join(strings.Fields(problems[i].Error()), " ")
		column[c.id] = cmp.Or(table[server][c.id], reason[:min(len(reason), mostReason)])
	}
	table[server] = column
	text, err := json.MarshalIndent(table, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("deviations.json", append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	rewriteReadme(t)
	t.Logf("%s: %d of %d cases differ", server, len(column), len(all))
}

// disagrees says where the outcome and the table differ; empty when they agree.
func disagrees(c trial, known map[string]string, problem error) string {
	switch deviation, listed := known[c.id]; {
	case problem != nil && !listed:
		return fmt.Sprintf("differs from AWS (%s): %v", url(c.page), problem)
	case problem == nil && listed:
		return fmt.Sprintf("is as AWS documents it, and deviations.json says: %s. Take the line out", deviation)
	}
	return ""
}

// url is where a page is.
func url(page string) string {
	return "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/" + page + ".html"
}

func TestTrials_AreNamedAndPinned(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range trials() {
		if seen[c.id] || strings.Count(c.id, "/") != 1 {
			t.Errorf("case %q is there twice, or is not topic/name", c.id)
		}
		seen[c.id] = true
		if !strings.HasPrefix(c.page, "APIReference/") && !strings.HasPrefix(c.page, "SQSDeveloperGuide/") {
			t.Errorf("case %s pins %q, which is no page of SQS", c.id, c.page)
		}
	}
	if len(seen) < 120 {
		t.Errorf("%d cases, want at least 120", len(seen))
	}
}

func TestVerdict_TableMustBeTrue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		known   map[string]string
		problem error
		fails   bool
	}{
		{"passes and is not listed", nil, nil, false},
		{"fails and is not listed", nil, fmt.Errorf("other"), true},
		{"fails and is listed", map[string]string{"a/b": "differs"}, fmt.Errorf("other"), false},
		{"passes and is listed", map[string]string{"a/b": "differs"}, nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := disagrees(trial{id: "a/b"}, test.known, test.problem) != ""; got != test.fails {
				t.Errorf("fails = %v, want %v", got, test.fails)
			}
		})
	}
}

func newClient(endpoint string, httpClient aws.HTTPClient) *sqs.Client {
	return sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: httpClient,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}
