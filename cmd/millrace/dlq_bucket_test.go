package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// largeLetter is an embedded AWS whose dead letters are one of an event that is in the bucket.
type largeLetter struct {
	endpoint string
	header   batch.Header
	data     string // of the event
	letters  *queue.Queue
}

func newLargeLetter(t *testing.T) *largeLetter {
	t.Helper()
	server, err := localaws.Start(t.Context(), localaws.Options{
		Queues: []localaws.Queue{{Name: devstack.LetterQueue}}, Buckets: []string{devstack.ClaimBucket},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	l := &largeLetter{endpoint: server.AWSURL(), data: noise()}
	client := awssqs.New(awssqs.Options{
		BaseEndpoint: &l.endpoint, Region: localRegion, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: awsconn.KeepConnections(nil),
	})
	flags := dlqFlags{awsFlags: awsFlags{AWS: l.endpoint}}
	l.letters = queue.New(client, localaws.QueueURL(server.AWSURL(), devstack.LetterQueue)).WithBucket(&letterBucket{flags: flags})
	packs, err := batch.Encode(refusedBy("warehouse", "transient", 503), []event.Event{{
		ID: "large", Source: "web", Type: "signup", Kind: "event", Data: []byte(l.data),
	}})
	if err != nil || packs[0].Header.Claim == "" {
		t.Fatalf("encode: %v, want a pack with a claim", err)
	}
	l.header = packs[0].Header
	l.put(t, packs[0])
	return l
}

func (l *largeLetter) put(t *testing.T, m batch.Message) {
	t.Helper()
	if err := l.letters.Send(t.Context(), queue.Outgoing{Message: m}); err != nil {
		t.Fatal(err)
	}
}

// loseObject takes the events out of the bucket.
func (l *largeLetter) loseObject(t *testing.T) {
	t.Helper()
	url := l.endpoint + "/" + devstack.ClaimBucket + "/" + l.header.Claim
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode/100 != 2 {
		t.Fatalf("delete %s: %s", url, response.Status)
	}
}

// noise is JSON of 3 MiB that does not compress below the size of a message.
func noise() string {
	random := make([]byte, 3<<19)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(random)
	return fmt.Sprintf(`{"x":"%x"}`, random)
}

func TestDLQShow_LargeLetter_FindsItsEvents(t *testing.T) {
	t.Parallel()
	l := newLargeLetter(t)
	told := execute(t.Context(), "", "dlq", "show", l.header.ID, "--aws", l.endpoint)
	told.want(t, exitDone, "they are in the bucket, as "+l.header.Claim, "")
	whole := execute(t.Context(), "", "dlq", "show", l.header.ID, "--events", "--aws", l.endpoint)
	if !strings.HasSuffix(strings.TrimSpace(whole.out), l.data) {
		t.Errorf("exit %d, %d bytes on stdout, %.300s, want the story and the event's %d bytes", whole.code, len(whole.out), whole.err, len(l.data))
	}
	listed := execute(t.Context(), "", "dlq", "ls", "--json", "--aws", l.endpoint)
	var list struct{ Letters []letterLine }
	if err := json.Unmarshal([]byte(listed.out), &list); err != nil || len(list.Letters) != 1 || list.Letters[0].Claim != l.header.Claim {
		t.Errorf("listed %s, %v; want the claim %s", listed.out, err, l.header.Claim)
	}
	execute(t.Context(), "", "dlq", "show", l.header.ID, "--events", "--bucket", "nobodys", "--aws", l.endpoint).want(t, exitFailed, "", "NoSuchBucket")
}

// An export is complete: it gives letter and object back, whatever became of the bucket meanwhile.
func TestDLQExport_LargeLetter_OutlivesItsObject(t *testing.T) {
	t.Parallel()
	l := newLargeLetter(t)
	file := filepath.Join(t.TempDir(), "letters")
	execute(t.Context(), "", "dlq", "export", file, "--remove", "--aws", l.endpoint).want(t, exitDone, "moved 1 letter with 1 event", "")
	l.loseObject(t)
	execute(t.Context(), "", "dlq", "import", file, "--aws", l.endpoint).want(t, exitDone, "put back 1 letter with 1 event", "")
	whole := execute(t.Context(), "", "dlq", "show", l.header.ID, "--events", "--aws", l.endpoint)
	if !strings.Contains(whole.out, l.data) {
		t.Errorf("exit %d, %.300s, want the event", whole.code, whole.err)
	}
}

func TestDLQ_LargeLetterWithoutItsObject_IsKeptAsItIs(t *testing.T) {
	t.Parallel()
	l := newLargeLetter(t)
	l.loseObject(t)
	missing, err := deadletter.Missing(l.header, errors.New("status 404 NoSuchKey"), failedAt)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "letters")
	execute(t.Context(), "", "dlq", "export", file, "--remove", "--aws", l.endpoint).want(t, exitDone, "moved 1 letter with 1 event", "")
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), `"events"`) || !strings.Contains(string(text), l.header.Claim) {
		t.Errorf("exported %s, %v; want the header with its claim, no events", text, err)
	}
	execute(t.Context(), "", "dlq", "import", file, "--aws", l.endpoint).want(t, exitDone, "put back 1 letter with 1 event", "")
	execute(t.Context(), "", "dlq", "show", l.header.ID, "--events", "--aws", l.endpoint).want(t, exitFailed, "", "are in the bucket as "+l.header.Claim)
	execute(t.Context(), "", "dlq", "discard", "--id", l.header.ID, "--yes", "--aws", l.endpoint).want(t, exitDone, "", "")
	l.put(t, missing)
	told := execute(t.Context(), "", "dlq", "show", l.header.ID, "--aws", l.endpoint)
	for _, want := range []string{"The flush did not take it (permanent)", "status 404 NoSuchKey", "Why it stopped: events missing", "Restore the object"} {
		told.want(t, exitDone, want, "")
	}
}

// A deployed stack names its bucket in the environment of its functions.
func TestBucketOf_AsksTheFunction(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, reply, want string }{
		{"with a bucket", `{"Environment":{"Variables":{"MILLRACE_BUCKET":"shop-claims-1234"}}}`, "shop-claims-1234"},
		{"without", `{"Environment":{"Variables":{"MILLRACE_BUCKET":""}}}`, ""},
		{"without variables", `{}`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var asked string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Path
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, row.reply)
			}))
			t.Cleanup(server.Close)
			flags := dlqFlags{awsFlags: awsFlags{AWS: server.URL, Stack: "shop"}}
			bucket := letterBucket{flags: flags}
			if err := bucket.find(t.Context()); err != nil {
				t.Fatal(err)
			}
			if want := "/functions/shop-replay/configuration"; !strings.HasSuffix(asked, want) {
				t.Errorf("asked %s, want …%s", asked, want)
			}
			if (bucket.found.MaxEventBytes() == batch.MaxLargeEventBytes) != (row.want != "") {
				t.Errorf("found bucket %+v, want %q", bucket.found, row.want)
			}
			if _, err := bucket.Get(t.Context(), "packs/x", 1); row.want == "" && !errors.Is(err, claimcheck.ErrNoBucket) {
				t.Errorf("get: %v, want %v", err, claimcheck.ErrNoBucket)
			}
			if row.want != "" {
				_ = bucket.Put(t.Context(), "packs/x", nil) //nolint:errcheck // only the path matters
				if want := "/" + row.want + "/packs/x"; asked != want {
					t.Errorf("put to %s, want %s", asked, want)
				}
			}
		})
	}
}
