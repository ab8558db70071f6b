package claimcheck_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/awsconn"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
	"github.com/millrace-dev/millrace/pkg/claimcheck/claimtest"
	"github.com/millrace-dev/millrace/pkg/retry"
)

const key = "packs/acme/0123abcd"

func TestBucket_PutThenGet_IsTheSame(t *testing.T) {
	t.Parallel()
	s := claimtest.NewServer(t)
	b := s.Bucket()
	body := bytes.Repeat([]byte("events\x00"), 500_000)
	if err := b.Put(t.Context(), key, body); err != nil {
		t.Fatal(err)
	}
	got, err := b.Get(t.Context(), key, len(body))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, body) {
		t.Errorf("got %d other bytes, want the %d that were put", len(got), len(body))
	}
	if diff := cmp.Diff([]string{"PUT " + key, "GET " + key}, s.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestBucket_PutTwice_KeepsTheLast(t *testing.T) {
	t.Parallel()
	s := claimtest.NewServer(t)
	for _, body := range []string{"one", "two"} {
		if err := s.Bucket().Put(t.Context(), key, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(s.Objects()[key]); got != "two" {
		t.Errorf("object is %q, want the second", got)
	}
}

func TestBucket_None_Refuses(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*claimcheck.Bucket{
		"nil": nil, "of no name": claimcheck.New(aws.Config{}, ""),
	} {
		if err := b.Put(t.Context(), key, nil); !errors.Is(err, claimcheck.ErrNoBucket) {
			t.Errorf("%s: put: got %v, want %v", name, err, claimcheck.ErrNoBucket)
		}
		if _, err := b.Get(t.Context(), key, 1); !errors.Is(err, claimcheck.ErrNoBucket) {
			t.Errorf("%s: get: got %v, want %v", name, err, claimcheck.ErrNoBucket)
		}
		if got := b.MaxEventBytes(); got != batch.MaxEventBytes {
			t.Errorf("%s: takes events of %d bytes, want %d", name, got, batch.MaxEventBytes)
		}
	}
	if got := claimcheck.New(aws.Config{}, "claims").MaxEventBytes(); got != batch.MaxLargeEventBytes {
		t.Errorf("a bucket takes events of %d bytes, want %d", got, batch.MaxLargeEventBytes)
	}
}

// The environment is the SDKs': a function on LocalStack, and one behind an S3 of its own.
func TestBucket_Environment_SaysWhereS3Is(t *testing.T) {
	for _, variable := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		t.Run(variable, func(t *testing.T) {
			s := claimtest.NewServer(t)
			t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1") // nobody is there
			t.Setenv(variable, s.Listen())
			t.Setenv("AWS_REGION", "eu-west-1")
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
			t.Setenv("AWS_SESSION_TOKEN", "session")
			cfg, err := awsconn.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := claimcheck.New(cfg, claimtest.BucketName).Put(t.Context(), key, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string][]byte{key: []byte("x")}, s.Objects()); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

// In AWS the bucket is part of the host, unless AWS's certificate would not fit.
func TestBucket_OnAWS_URL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, region, bucket, want string }{
		{"usual", "us-east-1", "claims", "https://claims.s3.us-east-1.amazonaws.com/" + key},
		{"China", "cn-north-1", "claims", "https://claims.s3.cn-north-1.amazonaws.com.cn/" + key},
		{"dots in the name", "us-east-1", "a.b", "https://s3.us-east-1.amazonaws.com/a.b/" + key},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked *http.Request
			b := claimcheck.New(aws.Config{
				Region: tt.region, Credentials: credentials(nil),
				HTTPClient: doFunc(func(r *http.Request) (*http.Response, error) {
					asked = r
					return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
				}),
			}, tt.bucket)
			if err := b.Put(t.Context(), key, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if asked.URL.String() != tt.want {
				t.Errorf("asked %s, want %s", asked.URL, tt.want)
			}
			if scope := "/" + tt.region + "/s3/aws4_request"; !strings.Contains(asked.Header.Get("Authorization"), scope) {
				t.Errorf("signed %q, want the scope %s", asked.Header.Get("Authorization"), scope)
			}
		})
	}
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func credentials(err error) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "hidden"}, err
	})
}

// answers is a client that gives one answer each time, the last one for ever.
type answers struct {
	all   []func() (*http.Response, error)
	calls int
}

func (a *answers) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	at := min(a.calls, len(a.all)-1)
	a.calls++
	return a.all[at]()
}

func reply(status int, code string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteHeader(status)
		if status == http.StatusOK {
			_, _ = w.WriteString("object")
		} else {
			_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>so it is</Message></Error>", code)
		}
		return w.Result(), nil
	}
}

func reset() (*http.Response, error) { return nil, errors.New("connection reset by peer") }

func cutShort() (*http.Response, error) {
	w, _ := reply(http.StatusOK, "")()
	w.Body = http.MaxBytesReader(nil, w.Body, 2) // ends with an error
	return w, nil
}

// Every answer of S3 has one meaning: tried again or not, and whose trouble it is.
func TestBucket_Get_Answers(t *testing.T) {
	t.Parallel()
	ok := reply(http.StatusOK, "")
	for _, tt := range []struct {
		name    string
		answers []func() (*http.Response, error)
		calls   int
		corrupt bool
		class   retry.Class // of the error; none when it succeeds
		says    string
	}{
		{"at once", []func() (*http.Response, error){ok}, 1, false, "", ""},
		{"after SlowDown", []func() (*http.Response, error){reply(503, "SlowDown"), ok}, 2, false, "", ""},
		{"after an internal error and a reset", []func() (*http.Response, error){reply(500, "InternalError"), reset, ok}, 3, false, "", ""},
		{"after a slow upload", []func() (*http.Response, error){reply(400, "RequestTimeout"), ok}, 2, false, "", ""},
		{"after half an object", []func() (*http.Response, error){cutShort, ok}, 2, false, "", ""},
		{"after a conflict", []func() (*http.Response, error){reply(409, "OperationAborted"), ok}, 2, false, "", ""},
		{"never SlowDown again", []func() (*http.Response, error){reply(503, "SlowDown")}, 3, false, retry.Throttled, "status 503 SlowDown: so it is"},
		{"never reached", []func() (*http.Response, error){reset}, 3, false, retry.Transient, "connection reset"},
		{"not allowed", []func() (*http.Response, error){reply(403, "AccessDenied")}, 1, false, retry.Setup, "status 403 AccessDenied"},
		{"no bucket", []func() (*http.Response, error){reply(404, "NoSuchBucket")}, 1, false, retry.Setup, "NoSuchBucket"},
		{"another region", []func() (*http.Response, error){reply(301, "PermanentRedirect")}, 1, false, retry.Setup, "PermanentRedirect"},
		{"no object", []func() (*http.Response, error){reply(404, "NoSuchKey")}, 1, true, retry.Permanent, "object is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := &answers{all: tt.answers}
				b := claimcheck.New(aws.Config{Region: "us-east-1", Credentials: credentials(nil), HTTPClient: client}, "claims")
				got, err := b.Get(t.Context(), key, 6)
				if client.calls != tt.calls {
					t.Errorf("S3 was asked %d times, want %d", client.calls, tt.calls)
				}
				if errors.Is(err, batch.ErrCorrupt) != tt.corrupt {
					t.Errorf("error is %v; is the pack corrupt? want %v", err, tt.corrupt)
				}
				if tt.class == "" {
					if err != nil || string(got) != "object" {
						t.Errorf("got %q, %v, want the object", got, err)
					}
					return
				}
				if class, _ := retry.Classify(err); err == nil || class != tt.class {
					t.Fatalf("got %v of class %s, want %s", err, class, tt.class)
				}
				if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), key) {
					t.Errorf("error is %q, want it to say %q and the key", err, tt.says)
				}
			})
		})
	}
}

func TestBucket_Get_LargerThanAnnounced_IsCorrupt(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]int64{"with a length": 6, "without": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &answers{all: []func() (*http.Response, error){func() (*http.Response, error) {
				r, err := reply(http.StatusOK, "")()
				r.ContentLength = length
				return r, err
			}}}
			b := claimcheck.New(aws.Config{Region: "us-east-1", Credentials: credentials(nil), HTTPClient: client}, "claims")
			if _, err := b.Get(t.Context(), key, 5); !errors.Is(err, batch.ErrCorrupt) {
				t.Errorf("got %v, want %v", err, batch.ErrCorrupt)
			}
			if _, err := b.Get(t.Context(), key, 6); err != nil {
				t.Errorf("an object of the announced size: %v", err)
			}
			if client.calls != 2 {
				t.Errorf("S3 was asked %d times, want once each", client.calls)
			}
		})
	}
}

// A server that hangs is given up each time, and the deadline of the caller bounds it all.
func TestBucket_Hanging_IsBounded(t *testing.T) {
	t.Parallel()
	hang := doFunc(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		most    time.Duration
	}{{"three tries", time.Hour, 15 * time.Second}, {"the caller's deadline", time.Second, time.Second}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := claimcheck.New(aws.Config{Region: "us-east-1", Credentials: credentials(nil), HTTPClient: hang}, "claims")
				ctx, stop := context.WithTimeout(t.Context(), tt.timeout)
				defer stop()
				began := time.Now()
				if err := b.Put(ctx, key, []byte("x")); err == nil {
					t.Error("no error")
				}
				if took := time.Since(began); took > tt.most {
					t.Errorf("gave up after %v, want at most %v", took, tt.most)
				}
			})
		})
	}
}

func TestBucket_NoCredentials_AsksNobody(t *testing.T) {
	t.Parallel()
	away := errors.New("the credentials are away")
	for name, provider := range map[string]aws.CredentialsProvider{"none": nil, "away": credentials(away)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &answers{all: []func() (*http.Response, error){reply(http.StatusOK, "")}}
			b := claimcheck.New(aws.Config{Region: "us-east-1", Credentials: provider, HTTPClient: client}, "claims")
			err := b.Put(t.Context(), key, []byte("x"))
			if class, _ := retry.Classify(err); err == nil || class != retry.Setup || client.calls != 0 {
				t.Errorf("got %v of class %s after %d calls, want %s after none", err, class, client.calls, retry.Setup)
			}
		})
	}
}

// The error document is untrusted: it may be anything, and of any length.
func TestBucket_OddErrorDocuments_AreTold(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "HTML": "<html><body>502</body></html>", "unfinished": "<Code>SlowD", "long": "<Code>" + strings.Repeat("x", 1<<20) + "</Code>",
		"no text": "<Code>\xff\xfe</Code>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &answers{all: []func() (*http.Response, error){func() (*http.Response, error) {
				w := httptest.NewRecorder()
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.WriteString(text)
				return w.Result(), nil
			}}}
			b := claimcheck.New(aws.Config{Region: "us-east-1", Credentials: credentials(nil), HTTPClient: client}, "claims")
			err := b.Put(t.Context(), key, []byte("x"))
			if err == nil || !strings.Contains(err.Error(), "status 403") || len(err.Error()) > 600 {
				t.Errorf("got %.700v, want a short error with the status", err)
			}
		})
	}
}
