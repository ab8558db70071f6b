package sinktest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/retry"
	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/record"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

// careless is what a sink looks like without the shared sender: net/http, and one fault.
type careless struct {
	client *http.Client
	url    string
	fault  string
	sent   atomic.Int64
	closed atomic.Bool
}

func newCareless(to sinktest.Destination, fault string) *careless {
	transport := &http.Transport{DialContext: to.Dial}
	client := &http.Client{Transport: transport, Timeout: timeout}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	switch fault {
	case "follows redirects":
		client.CheckRedirect = nil
	case "has no time-out":
		client.Timeout = 0
	case "trusts every certificate":
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	return &careless{client: client, url: to.URL, fault: fault}
}

func (s *careless) Limits() batch.Limits { return batch.Limits{MaxEvents: 10} }

func (s *careless) Send(ctx context.Context, b sink.Batch) (sink.Result, error) {
	switch s.fault {
	case "ignores the context":
		ctx = context.WithoutCancel(ctx)
	case "rejects when cancelled":
		if ctx.Err() != nil {
			return sink.Result{}, sink.Fail(retry.Permanent, "cancelled", nil)
		}
	case "modifies the batch":
		b.Events[0].Data[0] = ' '
	case "leaks a goroutine":
		go func() { <-make(chan struct{}) }()
	case "loses an event":
		b.Events = b.Events[1:]
	case "makes its own key":
		b.Key = strconv.FormatInt(s.sent.Add(1), 10)
	case "has results for nobody":
		return sink.Result{Outcomes: make([]sink.Outcome, len(b.Events)+1)}, nil
	}
	err := s.post(ctx, &b)
	if s.fault == "retries by itself" && err != nil {
		err = s.post(ctx, &b)
	}
	return sink.Result{}, err
}

func (s *careless) post(ctx context.Context, b *sink.Batch) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(record.AppendLines(nil, b.Events)))
	if err != nil {
		return err
	}
	request.Header["idempotency-key"] = []string{b.Key}
	request.Header.Set("Authorization", "Bearer s3cr3t")
	response, err := s.client.Do(request)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return sink.Fail(retry.Setup, "certificate", err)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body := io.LimitReader(response.Body, 4<<10)
	if s.fault == "reads without bound" {
		body = response.Body
	}
	text, _ := io.ReadAll(body)
	return s.judge(response, text)
}

func (s *careless) judge(response *http.Response, text []byte) error {
	if response.StatusCode <= 299 || s.fault == "ignores the status" {
		return nil
	}
	cause := "refused"
	if s.fault == "shows secrets" {
		cause = string(text)
	}
	class := map[int]retry.Class{400: retry.Permanent, 302: retry.Setup, 429: retry.Throttled}[response.StatusCode]
	if class == "" {
		class = retry.Transient
	}
	failure := sink.Fail(class, cause, nil)
	failure.Outcome.Status = response.StatusCode
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && s.fault != "ignores Retry-After" {
		failure.Outcome.After = time.Duration(seconds) * time.Second
	}
	return failure
}

func (s *careless) Close() error {
	s.client.CloseIdleConnections()
	if s.closed.Swap(true) && s.fault == "closes only once" {
		return errors.New("already closed")
	}
	return nil
}
