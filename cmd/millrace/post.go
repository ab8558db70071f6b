package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// Limits of a post.
const (
	postTimeout    = 30 * time.Second
	postAttempts   = 10
	maxAnswerBytes = 1 << 20
)

// poster sends batches of events to the API as an SDK would.
type poster struct {
	client   *http.Client
	url, key string
	protocol protocol
	// delayed is told of every wait; nil means nobody.
	delayed func(err error, wait time.Duration)
}

func newPoster(url, key string, p protocol) *poster {
	return &poster{
		client: &http.Client{Timeout: postTimeout, Transport: http.DefaultTransport.(*http.Transport).Clone()}, //nolint:forcetypeassert // documented to be one
		url:    strings.TrimRight(url, "/"), key: key, protocol: p,
	}
}

// close ends the kept connections.
func (p *poster) close() { p.client.CloseIdleConnections() }

// receipt is what the API said of one batch.
type receipt struct {
	accepted, refused int
	// causes say why events were refused, as far as the protocol tells.
	causes []string
}

// answerError is an answer other than 2xx.
type answerError struct {
	status int
	body   string
}

func (e *answerError) Error() string {
	return fmt.Sprintf("the API answered %d: %s", e.status, strings.TrimSpace(e.body))
}

// post sends one batch. It waits as the server asks and tries again when that can help; connections that are refused
// are not tried again, because then nothing listens there.
func (p *poster) post(ctx context.Context, events [][]byte) (receipt, error) {
	var got receipt
	loop := retry.Loop{
		Policy: retry.Policy{MaxAttempts: postAttempts, MaxInlineWait: time.Minute},
		OnFailure: func(err error, next retry.Decision) {
			if p.delayed != nil && next.Action == retry.Sleep {
				p.delayed(errors.Unwrap(err), next.Delay)
			}
		},
	}
	err := loop.Do(ctx, func(ctx context.Context) error {
		var failure *retry.Failure
		if got, failure = p.once(ctx, events); failure != nil {
			return failure
		}
		return nil
	})
	var stopped *retry.Error
	if errors.As(err, &stopped) && stopped.Interrupt == nil {
		err = errors.Unwrap(stopped.Last)
	}
	return got, err
}

// once makes one attempt.
func (p *poster) once(ctx context.Context, events [][]byte) (receipt, *retry.Failure) {
	request, err := p.request(ctx, events)
	if err != nil {
		return receipt{}, retry.Fail(retry.Permanent, 0, err)
	}
	response, err := p.client.Do(request)
	if err != nil {
		class := retry.Transient
		if isUnreachable(err) {
			class = retry.Permanent
		}
		return receipt{}, retry.Fail(class, 0, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return receipt{}, retry.Fail(retry.Transient, 0, fmt.Errorf("read the answer: %w", err))
	}
	// The generic receiver answers 400 when it took none of the events, and says why for each.
	got, err := p.protocol.read(body, len(events))
	answered := response.StatusCode/100 == 2 //nolint:mnd // 2xx
	switch {
	case answered && err != nil:
		return receipt{}, retry.Fail(retry.Permanent, 0, fmt.Errorf("the API answered %d with %q: %w", response.StatusCode, body, err))
	case answered, response.StatusCode == http.StatusBadRequest && err == nil:
		return got, nil
	}
	after, _ := retry.ParseRetryAfter(response.Header.Get("Retry-After"), time.Now())
	return receipt{}, retry.Fail(classOf(response.StatusCode), after, &answerError{response.StatusCode, string(body)})
}

func (p *poster) request(ctx context.Context, events [][]byte) (*http.Request, error) {
	body := p.protocol.encode(p.key, events)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+p.protocol.path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("post: %w", err)
	}
	request.Header.Set("Content-Type", p.protocol.contentType)
	if p.protocol.bearer {
		request.Header.Set("Authorization", "Bearer "+p.key)
	}
	return request, nil
}

// classOf says whether the same request may be taken later.
func classOf(status int) retry.Class {
	switch {
	case status == http.StatusTooManyRequests:
		return retry.Throttled
	case status == http.StatusRequestTimeout || status >= http.StatusInternalServerError:
		return retry.Transient
	}
	return retry.Permanent
}
