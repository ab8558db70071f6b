package demosink_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/internal/demosink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// post sends a body to the handler and returns the answer.
func post(t *testing.T, sink http.Handler, path, encoding string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	request.Header.Set("Content-Encoding", encoding)
	recorder := httptest.NewRecorder()
	sink.ServeHTTP(recorder, request)
	return recorder
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func zstandard(t *testing.T, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	return w.EncodeAll([]byte(text), nil)
}

func TestSink_ServeHTTP_ReadsEveryShape(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, encoding string
		body           []byte
		want           map[string]int
	}{
		{"NDJSON with a last newline", "", []byte("{\"id\":\"a\"}\n{\"id\":\"b\"}\n"), map[string]int{"a": 1, "b": 1}},
		{"a JSON array", "", []byte(`[{"id":"a"},{"id":"a"}]`), map[string]int{"a": 2}},
		{"one pretty-printed object", "", []byte("{\n \"id\": \"a\"\n}"), map[string]int{"a": 1}},
		{"an empty array", "", []byte(`[]`), map[string]int{}},
		{"uuid where there is no id", "", []byte(`{"uuid":"u","id":7}`), map[string]int{"u": 1}},
		{"the uuid of data, not one deeper", "", []byte(`{"data":{"uuid":"d","data":{"uuid":"x"}}}`), map[string]int{"d": 1}},
		{"gzip", "gzip", gzipped(t, `{"id":"z"}`), map[string]int{"z": 1}},
		{"zstd", "zstd", zstandard(t, `{"id":"z"}`), map[string]int{"z": 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sink := demosink.New(demosink.Options{})
			if got := post(t, sink, "/", test.encoding, test.body); got.Code != http.StatusOK {
				t.Fatalf("status = %d, want 200: %s", got.Code, got.Body)
			}
			if diff := cmp.Diff(test.want, sink.Counts()); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSink_ServeHTTP_RefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, encoding string
		body           []byte
		status         int
		want           string
	}{
		{"an array cut short", "", []byte(`[{"id":"a"},`), http.StatusBadRequest, "record 2"},
		{"an array cut after a record", "", []byte(`[{"id":"a"}`), http.StatusBadRequest, ""},
		{"two arrays", "", []byte(`[][]`), http.StatusBadRequest, "more than one array"},
		{"a number", "", []byte("{\"id\":\"a\"}\n7"), http.StatusBadRequest, "record 2: number is not an object"},
		{"a duplicate member", "", []byte(`{"id":"a","id":"b"}`), http.StatusBadRequest, "duplicate"},
		{"an encoding it does not know", "br", []byte(`{}`), http.StatusBadRequest, `"br" is not gzip`},
		{"gzip that is not gzip", "gzip", []byte(`{}`), http.StatusBadRequest, "gzip"},
		{"zstd that is not zstd", "zstd", []byte(`{}`), http.StatusBadRequest, "read body"},
		{"a gzip bomb", "gzip", gzipped(t, strings.Repeat(" ", demosink.MaxBodyBytes+1)), http.StatusRequestEntityTooLarge, "over 67108864 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sink := demosink.New(demosink.Options{})
			got := post(t, sink, "/", test.encoding, test.body)
			if got.Code != test.status || !strings.Contains(got.Body.String(), test.want) {
				t.Errorf("got %d %q, want %d with %q", got.Code, got.Body, test.status, test.want)
			}
			want := demosink.Stats{Requests: 1, Failed: 1}
			if diff := cmp.Diff(want, sink.Stats()); diff != "" {
				t.Errorf("stats (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSink_ServeHTTP_FailsAsTold(t *testing.T) {
	t.Parallel()
	const body = `[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}]`
	tests := []struct {
		name   string
		told   string
		status int
		taken  int
	}{
		{"well", `{}`, http.StatusOK, 4},
		{"a good status of its own", `{"status":202}`, http.StatusAccepted, 4},
		{"no content", `{"status":204}`, http.StatusNoContent, 4},
		{"a status", `{"status":503}`, http.StatusServiceUnavailable, 0},
		{"always by rate", `{"fail_rate":1}`, http.StatusInternalServerError, 0},
		{"half taken, then refused", `{"partial":true}`, http.StatusInternalServerError, 2},
		{"half taken with a status", `{"partial":true,"status":502}`, http.StatusBadGateway, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sink := demosink.New(demosink.Options{})
			if got := post(t, sink, demosink.ControlPath, "", []byte(test.told)); got.Code != http.StatusOK {
				t.Fatalf("control: %d %s", got.Code, got.Body)
			}
			if got := post(t, sink, "/", "", []byte(body)); got.Code != test.status {
				t.Errorf("status = %d, want %d", got.Code, test.status)
			}
			if got := sink.Stats().Events; got != test.taken {
				t.Errorf("taken = %d, want %d", got, test.taken)
			}
		})
	}
}

func TestSink_ServeHTTP_SaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	sink := demosink.New(demosink.Options{Behaviour: demosink.Behaviour{Status: 429, RetryAfter: 3 * time.Second}})
	got := post(t, sink, "/", "", []byte(`{"id":"a"}`))
	if got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != "3" {
		t.Errorf("got %d, Retry-After %q, want 429, 3", got.Code, got.Header().Get("Retry-After"))
	}
}

func TestSink_ServeHTTP_Delays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := demosink.New(demosink.Options{Behaviour: demosink.Behaviour{Delay: time.Hour}})
		before := time.Now()
		if got := post(t, sink, "/", "", []byte(`{"id":"a"}`)); got.Code != http.StatusOK {
			t.Errorf("status = %d, want 200", got.Code)
		}
		if took := time.Since(before); took != time.Hour {
			t.Errorf("answer took %s, want 1h", took)
		}
	})
}

func TestSink_ServeHTTP_ForgetsWhoGaveUpWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sink := demosink.New(demosink.Options{Behaviour: demosink.Behaviour{Delay: time.Hour}})
	sink.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{"id":"a"}`)))
	if got := sink.Stats().Events; got != 0 {
		t.Errorf("taken = %d, want 0: the client never saw an answer", got)
	}
}

func TestSink_ServeHTTP_TellsAndWrites(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var arrivals []demosink.Arrival
	sink := demosink.New(demosink.Options{Out: &out, Arrived: func(a demosink.Arrival) { arrivals = append(arrivals, a) }})
	post(t, sink, "/in", "", []byte("[{\"id\":\"a\",\n\"n\":1}]"))
	if got, want := out.String(), "{\"id\":\"a\",\"n\":1}\n"; got != want {
		t.Errorf("out = %q, want %q", got, want)
	}
	want := []demosink.Arrival{{Path: "/in", Taken: 1, Status: 200, Records: []demosink.Record{{ID: "a", JSON: []byte(`{"id":"a","n":1}`)}}}}
	if diff := cmp.Diff(want, arrivals); diff != "" {
		t.Errorf("arrivals (-want +got):\n%s", diff)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestSink_ServeHTTP_DoesNotTakeWhatItCannotWrite(t *testing.T) {
	t.Parallel()
	sink := demosink.New(demosink.Options{Out: fullDisk{}})
	got := post(t, sink, "/", "", []byte(`{"id":"a"}`))
	if got.Code != http.StatusInternalServerError || sink.Stats().Events != 0 {
		t.Errorf("got %d with %d events taken, want 500 with 0", got.Code, sink.Stats().Events)
	}
}

func TestSink_Control(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, body string
		status             int
		want               string
	}{
		{"an unknown member", http.MethodPost, `{"state":500}`, http.StatusBadRequest, "state"},
		{"a status that is none", http.MethodPost, `{"status":99}`, http.StatusBadRequest, "outside 200 to 599"},
		{"a rate over 1", http.MethodPost, `{"fail_rate":30}`, http.StatusBadRequest, "outside 0 to 1"},
		{"a delay without a unit", http.MethodPost, `{"delay":"2"}`, http.StatusBadRequest, "not a duration"},
		{"a negative delay", http.MethodPost, `{"delay":"-2s"}`, http.StatusBadRequest, "negative"},
		{"another method", http.MethodPut, ``, http.StatusMethodNotAllowed, "GET, POST and DELETE"},
		{"a behaviour, said back", http.MethodPost, `{"delay":"2s","hang":true,"retry_after":1}`, http.StatusOK, `"behaviour":{"delay":"2s","retry_after":1,"hang":true}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			recorder := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(t.Context(), test.method, demosink.ControlPath, strings.NewReader(test.body))
			demosink.New(demosink.Options{}).ServeHTTP(recorder, request)
			if recorder.Code != test.status || !strings.Contains(recorder.Body.String(), test.want) {
				t.Errorf("got %d %q, want %d with %q", recorder.Code, recorder.Body, test.status, test.want)
			}
		})
	}
}

func TestSink_Control_TellsAndForgetsIDs(t *testing.T) {
	t.Parallel()
	sink := demosink.New(demosink.Options{})
	post(t, sink, "/", "", []byte(`[{"id":"a"},{"id":"a"},{}]`))
	ask := func(method string) demosink.Stats {
		recorder := httptest.NewRecorder()
		sink.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, demosink.ControlPath+"?ids=1", nil))
		var stats struct {
			Requests, Events, Unique, Duplicates, Unnamed int
			IDs                                           map[string]int
		}
		if err := json.Unmarshal(recorder.Body.Bytes(), &stats); err != nil {
			t.Fatal(err)
		}
		return demosink.Stats{
			Requests: stats.Requests, Events: stats.Events, Unique: stats.Unique, Duplicates: stats.Duplicates,
			Unnamed: stats.Unnamed, IDs: stats.IDs,
		}
	}
	want := demosink.Stats{Requests: 1, Events: 3, Unique: 1, Duplicates: 1, Unnamed: 1, IDs: map[string]int{"a": 2}}
	if diff := cmp.Diff(want, ask(http.MethodGet)); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(demosink.Stats{IDs: map[string]int{}}, ask(http.MethodDelete)); diff != "" {
		t.Errorf("stats after DELETE (-want +got):\n%s", diff)
	}
}

func TestSink_ServeHTTP_WrongMethod(t *testing.T) {
	t.Parallel()
	recorder := httptest.NewRecorder()
	demosink.New(demosink.Options{}).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if recorder.Code != http.StatusMethodNotAllowed || recorder.Header().Get("Allow") != "POST, PUT" {
		t.Errorf("got %d, Allow %q, want 405 and POST, PUT", recorder.Code, recorder.Header().Get("Allow"))
	}
}

func TestBehaviour_Fails_FollowsTheRoll(t *testing.T) {
	t.Parallel()
	sometimes := demosink.Behaviour{FailRate: 0.3, Status: 503}
	if !sometimes.Fails(0.29) || sometimes.Fails(0.3) {
		t.Error("a rate of 0.3 must fail below 0.3 and nowhere else")
	}
}

func start(t *testing.T, o demosink.Options) *demosink.Server {
	t.Helper()
	server, err := demosink.Start("127.0.0.1:0", demosink.New(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// send posts over a connection of its own and returns the error of the request.
func send(ctx context.Context, t *testing.T, url string) error {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"id":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	return response.Body.Close()
}

func TestServer_Reset(t *testing.T) {
	t.Parallel()
	server := start(t, demosink.Options{Behaviour: demosink.Behaviour{Reset: true}})
	err := send(t.Context(), t, server.URL())
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("error = %v, want a reset connection", err)
	}
	if got := server.Stats(); got.Events != 0 || got.Failed != 1 {
		t.Errorf("stats = %+v, want no event and one failure", got)
	}
}

func TestServer_Close_EndsHangingRequests(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	server := start(t, demosink.Options{
		Behaviour: demosink.Behaviour{Hang: true},
		Arrived:   func(demosink.Arrival) { close(arrived) },
	})
	ended := make(chan error, 1)
	go func() { ended <- send(context.WithoutCancel(t.Context()), t, server.URL()) }()
	<-arrived
	server.Close()
	<-ended // the request is over, whatever it was answered
}

func TestStart_SaysWhyItCannotListen(t *testing.T) {
	t.Parallel()
	server := start(t, demosink.Options{})
	_, err := demosink.Start(strings.TrimPrefix(server.URL(), "http://"), demosink.New(demosink.Options{}))
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("error = %v, want address in use", err)
	}
}
