// Package claimtest is an S3 for tests, as far as claim checks need one: PUT and GET of
// objects in one bucket by path, with signatures that are checked and failures by script.
// It needs no socket, so that it also runs in virtual time.
package claimtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
)

// BucketName is the one bucket there is.
const BucketName = "claims"

const region = "eu-west-1"

func keys() aws.Credentials {
	//nolint:gosec // of AWS's documentation, good for nothing
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI", SessionToken: "session"}
}

// Failure is one answer of a script.
type Failure struct {
	Status     int
	Code       string // of the error document
	RetryAfter string
}

// Server is the S3. It is safe for concurrent use.
type Server struct {
	tb      testing.TB
	mu      sync.Mutex
	objects map[string][]byte
	script  []Failure // answers to come before the true ones
	always  *Failure
	calls   []string // "PUT key"
}

// NewServer returns a server with an empty bucket, which tells tb of wrong signatures.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	return &Server{tb: tb, objects: make(map[string][]byte)}
}

// Listen serves on loopback, too, for the length of the test, and returns the URL.
func (s *Server) Listen() string {
	server := httptest.NewServer(s)
	s.tb.Cleanup(server.Close)
	return server.URL
}

// Bucket is the bucket as the functions see it.
func (s *Server) Bucket() *claimcheck.Bucket {
	return claimcheck.New(s.Config(), BucketName)
}

// Config is the configuration of a client of this server.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String("http://s3.test"), HTTPClient: inprocess.Transport{Handler: s},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys(), nil }),
	}
}

// Script lets the next calls fail, one answer each.
func (s *Server) Script(failures ...Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, failures...)
}

// Break lets every call fail until Heal.
func (s *Server) Break(f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = &f
}

// Heal ends Break.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = nil
}

// Objects is what the bucket holds.
func (s *Server) Objects() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.objects)
}

// Change replaces an object behind everybody's back; nil removes it.
func (s *Server) Change(key string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if body == nil {
		delete(s.objects, key)
		return
	}
	s.objects[key] = body
}

// Calls are the requests so far, as "PUT key".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	if problem := verify(r, body); problem != "" {
		s.tb.Errorf("%s %s: %s", r.Method, r.URL, problem)
		refuse(w, Failure{Status: http.StatusForbidden, Code: "SignatureDoesNotMatch"})
		return
	}
	key, ours := strings.CutPrefix(r.URL.Path, "/"+BucketName+"/")
	if !ours {
		refuse(w, Failure{Status: http.StatusNotFound, Code: "NoSuchBucket"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, r.Method+" "+key)
	if f, fails := s.failure(); fails {
		refuse(w, f)
		return
	}
	s.answer(w, r.Method, key, body)
}

func (s *Server) failure() (Failure, bool) {
	if s.always != nil {
		return *s.always, true
	}
	if len(s.script) == 0 {
		return Failure{}, false
	}
	f := s.script[0]
	s.script = s.script[1:]
	return f, f.Status != http.StatusOK
}

func (s *Server) answer(w http.ResponseWriter, method, key string, body []byte) {
	object, found := s.objects[key]
	switch {
	case method == http.MethodPut:
		s.objects[key] = body
	case !found:
		refuse(w, Failure{Status: http.StatusNotFound, Code: "NoSuchKey"})
	default:
		w.Header().Set("Content-Length", strconv.Itoa(len(object)))
		_, _ = w.Write(object)
	}
}

func refuse(w http.ResponseWriter, f Failure) {
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.Status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>by script</Message></Error>`, f.Code)
}

// verify signs the request again, as it arrived, and says what differs.
func verify(r *http.Request, body []byte) string {
	digest := sha256.Sum256(body)
	sum := hex.EncodeToString(digest[:])
	if got := r.Header.Get("X-Amz-Content-Sha256"); got != sum {
		return fmt.Sprintf("announced body %q, sent %q", got, sum)
	}
	authorization := r.Header.Get("Authorization")
	_, rest, _ := strings.Cut(authorization, "SignedHeaders=")
	signed, _, _ := strings.Cut(rest, ",")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || signed == "" {
		return fmt.Sprintf("not signed: %q at %q", authorization, r.Header.Get("X-Amz-Date"))
	}
	again := &http.Request{
		Method: r.Method, Host: r.Host, URL: &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath},
		Header: make(http.Header), ContentLength: r.ContentLength, Body: io.NopCloser(bytes.NewReader(body)),
	}
	for name := range strings.SplitSeq(signed, ";") {
		if value := r.Header.Get(name); value != "" && name != "content-length" {
			again.Header.Set(name, value)
		}
	}
	asSent := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
	if err := v4.NewSigner().SignHTTP(r.Context(), keys(), again, sum, "s3", region, at, asSent); err != nil {
		return err.Error()
	}
	if want := again.Header.Get("Authorization"); want != authorization {
		return fmt.Sprintf("signature is %q, want %q", authorization, want)
	}
	return ""
}
