package replay_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/replay"
)

func (w *world) invoke(t *testing.T, payload string) (string, error) {
	t.Helper()
	replayer, err := replay.New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	out, err := replayer.Invoke(t.Context(), []byte(payload))
	return string(out), err
}

// runA is a run that was started in the far future of these tests' virtual time.
const runA = `"run":"a","started":"2030-01-01T00:00:00Z"`

// TestReplayer_Invoke_ReportIsAContract: the same letters give the same bytes, and
// counts is a list even when it is empty.
func TestReplayer_Invoke_ReportIsAContract(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const empty = `{"dry_run":false,"scanned":0,"replayed":0,"events":0,"bytes":0,"counts":[],"more":false,` + runA + `}`
		if got, err := w.invoke(t, "{"+runA+"}"); err != nil || got != empty {
			t.Errorf("empty queue: %s, %v; want %s", got, err, empty)
		}
		w.put(t, assorted(t)...)
		w.put(t, letter(t, "old", func(m *batch.Meta) { m.Generation = 5 }))
		const want = `{"dry_run":true,"scanned":10,"replayed":8,"events":8,"bytes":2440,"counts":[` +
			`{"sink":"*","class":"crashed","kind":"event","letters":1,"events":1},` +
			`{"sink":"archive","class":"transient","kind":"event","letters":1,"events":1},` +
			`{"sink":"warehouse","class":"permanent","kind":"event","letters":1,"events":1},` +
			`{"sink":"warehouse","class":"transient","kind":"event","letters":4,"events":4},` +
			`{"sink":"warehouse","class":"transient","kind":"log","letters":1,"events":1}],` +
			`"left":{"no match":1,"replayed too often":1},"more":false,` +
			`"estimate":{"seconds":0.1,"usd":0.000002},` + runA + `}`
		for range 3 {
			got, err := w.invoke(t, `{"receiver":"generic","dry_run":true,`+runA+`}`)
			if err != nil || got != want {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
		}
	})
}

func TestReplayer_Invoke_RefusedRequest_TouchesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(t, letter(t, "a", nil))
		for _, payload := range []string{`{"tennant":"acme"}`, `{"to":"nowhere"}`, `{"limit":-1}`, `{"continue":true}`, `no`} {
			if out, err := w.invoke(t, payload); err == nil || out != "" || !strings.HasPrefix(err.Error(), "replay request: ") {
				t.Errorf("%s: %s, %v; want an error about the request", payload, out, err)
			}
		}
		w.intercept = failing("ReceiveMessage", errors.New("told to fail"))
		if out, err := w.invoke(t, "{}"); err == nil || out != "" {
			t.Errorf("queue away: %s, %v; want an error", out, err)
		}
		w.wantMain(t, 0)
	})
}

func TestNew_NeedsBothQueues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, options := range map[string]replay.Options{
		"nothing": {}, "no main queue": {Letters: w.letters}, "no letters": {Queue: w.main},
	} {
		if _, err := replay.New(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if r, err := replay.New(replay.Options{Letters: w.letters, Queue: w.main}); err != nil || r.Logger == nil {
		t.Errorf("without a logger: %v, %v; want the default one", r, err)
	}
}

func TestReport_Merge(t *testing.T) {
	t.Parallel()
	line := func(sink string, letters, events int) replay.Count {
		return replay.Count{Sink: sink, Class: "transient", Kind: "event", Letters: letters, Events: events}
	}
	first := replay.Report{
		Scanned: 10, Replayed: 4, Events: 40, More: true,
		Counts: []replay.Count{line("b", 3, 30), line("c", 1, 10)}, Left: map[string]int{"no match": 6},
	}
	later := replay.Report{
		Scanned: 5, Replayed: 3, Events: 9,
		Counts: []replay.Count{line("a", 2, 6), line("c", 1, 3)}, Left: map[string]int{"no match": 1, "not a pack": 1},
	}
	first.Merge(later)
	want := replay.Report{
		Scanned: 15, Replayed: 7, Events: 49,
		Counts: []replay.Count{line("a", 2, 6), line("b", 3, 30), line("c", 2, 13)}, Left: map[string]int{"no match": 7, "not a pack": 1},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	var zero replay.Report
	zero.Merge(want)
	if diff := cmp.Diff(want, zero); diff != "" {
		t.Errorf("sum with nothing (-want +got):\n%s", diff)
	}
}

// TestReport_Merge_Zero: as the commands print it, counts is never null.
func TestReport_Merge_Zero(t *testing.T) {
	t.Parallel()
	var r replay.Report
	r.Merge(replay.Report{})
	out, err := jsonv2.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(out, &members); err != nil || members["counts"] == nil {
		t.Errorf("report is %s, %v; want an empty list of counts", out, err)
	}
}
