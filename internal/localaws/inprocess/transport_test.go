package inprocess_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/localaws/inprocess"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRequest(ctx context.Context, t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://service.test/a%20b?x=1", body)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func TestTransport_Do_CarriesRequestAndReply(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "ping" || r.Host != "service.test" || r.URL.Path != "/a b" || r.RequestURI != "/a%20b?x=1" || r.Header.Get("X-In") != "1" {
			t.Errorf("handler got %q, %v on %s %s", body, err, r.Host, r.RequestURI)
		}
		w.Header().Set("X-Out", "2")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "3")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "po")
		_, _ = io.WriteString(w, "ng")
	})
	request := newRequest(t.Context(), t, strings.NewReader("ping"))
	request.Header.Set("X-In", "1")
	response, err := inprocess.Transport{Handler: handler}.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "pong" || response.ContentLength != 4 || response.Status != "418 I'm a teapot" {
		t.Errorf("got %s with %q (%d bytes), %v; want 418 with pong", response.Status, body, response.ContentLength, err)
	}
	if response.Header.Get("X-Out") != "2" || response.Header.Get("X-Late") != "" {
		t.Errorf("headers = %v, want those set before the status", response.Header)
	}
}

func TestTransport_Do_SilentHandlerIs200(t *testing.T) {
	t.Parallel()
	transport := inprocess.Transport{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || len(body) != 0 {
			t.Errorf("body = %q, %v; want none", body, err)
		}
	})}
	response, err := transport.Do(newRequest(t.Context(), t, nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status = %d, want 200", response.StatusCode)
	}
}

func TestTransport_Do_AbandonedReplyCannotBeWritten(t *testing.T) {
	t.Parallel()
	cause := errors.New("no time left")
	ctx, cancel := context.WithCancelCause(t.Context())
	abandoned, wrote := make(chan struct{}), make(chan error)
	transport := inprocess.Transport{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel(cause)
		<-r.Context().Done()
		<-abandoned
		w.WriteHeader(http.StatusOK)
		_, err := io.WriteString(w, "late")
		wrote <- err
	})}
	if _, err := transport.Do(newRequest(ctx, t, nil)); !errors.Is(err, cause) {
		t.Errorf("error = %v, want the cause of the cancellation", err)
	}
	close(abandoned)
	if err := <-wrote; err == nil {
		t.Error("a write after the client went: no error")
	}
	if _, err := transport.Do(newRequest(ctx, t, nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("second call: %v, want context.Canceled before the handler runs", err)
	}
}

func TestTransport_Do_BegunReplyIsDelivered(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	transport := inprocess.Transport{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "begun, ")
		cancel()
		_, _ = io.WriteString(w, "done")
	})}
	response, err := transport.Do(newRequest(ctx, t, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "begun, done" {
		t.Errorf("body = %q, %v; want all of it", body, err)
	}
}

func TestTransport_Do_PanicIsAnError(t *testing.T) {
	t.Parallel()
	transport := inprocess.Transport{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })}
	if _, err := transport.Do(newRequest(t.Context(), t, nil)); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("error = %v, want one that names the panic", err)
	}
}
