package audit

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// read collects what a reader yields.
func read(t *testing.T, seq func(func(Delivered, error) bool)) (events []Delivered, unreadable int, failure error) {
	t.Helper()
	for d, err := range seq {
		switch {
		case errors.Is(err, errUnreadable):
			unreadable++
		case err != nil:
			failure = err
		default:
			events = append(events, d)
		}
	}
	return events, unreadable, failure
}

func TestReadDelivered_EverySortOfLine(t *testing.T) {
	t.Parallel()
	output := record("acme", "web", "1") + "\r\n\n" + `{"id":"2"}` + "\n" + `"3 \u00e9"` + "\n  4  \n" +
		`{"noid":1}` + "\n" + `{"id":5}` + "\n" + strings.Repeat("x", maxLineBytes+1) + "\n" + strings.Repeat("y", 100_000) + "\n" + `{"id":"to`
	got, unreadable, err := read(t, ReadDelivered(strings.NewReader(output)))
	want := []Delivered{{"acme", "web", "1", 1}, {ID: "2", Count: 1}, {ID: "3 é", Count: 1}, {ID: "4", Count: 1}, {ID: strings.Repeat("y", 100_000), Count: 1}}
	if diff := cmp.Diff(want, got); diff != "" || unreadable != 4 || err != nil {
		t.Errorf("%d unreadable, want 4; %v; events (-want +got):\n%s", unreadable, err, diff)
	}
}

func TestReadDelivered_ABrokenReader(t *testing.T) {
	t.Parallel()
	broken := io.MultiReader(strings.NewReader("1\n2\n"), iotest.ErrReader(errors.New("disk gone")))
	got, _, err := read(t, ReadDelivered(broken))
	if len(got) != 2 || err == nil || !strings.Contains(err.Error(), "disk gone") {
		t.Errorf("%v, %v; want two events and the cause", got, err)
	}
	for d := range ReadDelivered(strings.NewReader("1\n2\n")) {
		if d.ID == "1" {
			break // a reader that has enough
		}
		t.Errorf("read on, to %q, after the end was said", d.ID)
	}
}

func TestReadCounts(t *testing.T) {
	t.Parallel()
	got, _, err := read(t, ReadCounts(strings.NewReader(`{"requests":3,"behaviour":{"ids":{"no":1}},"ids":{"1":1,"b":3}}`)))
	if diff := cmp.Diff([]Delivered{{ID: "1", Count: 1}, {ID: "b", Count: 3}}, got); diff != "" || err != nil {
		t.Errorf("%v; events (-want +got):\n%s", err, diff)
	}
	for name, answer := range map[string]string{
		"no JSON":              "ok",
		"no object":            "[]",
		"no ids":               `{"requests":1}`,
		"an answer broken off": `{"ids":{"1":1`,
		"a count that is none": `{"ids":{"1":"x"}}`,
		"nothing":              "",
	} {
		if _, _, err := read(t, ReadCounts(strings.NewReader(answer))); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		output string
		want   Identity
	}{
		"records":                 {record("acme", "web", "1") + "\n" + record("acme", "web", "2"), ByEvent},
		"one record, no line end": {record("acme", "web", "1"), ByEvent},
		"objects with ids only":   {`{"id":"1"}` + "\n", ByID},
		"a list":                  {"1\n2\n", ByID},
		"nothing":                 {"", ByID},
		"an endless line":         {strings.Repeat("x", 2*identifyBytes), ByID},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// One byte at a time: a pipe gives what it has.
			by, rest := Identify(iotest.OneByteReader(strings.NewReader(row.output)))
			all, err := io.ReadAll(rest)
			if by != row.want || err != nil || string(all) != row.output {
				t.Errorf("identity %v, want %v; %d of %d bytes are left, %v", by, row.want, len(all), len(row.output), err)
			}
		})
	}
}

func FuzzReadDelivered(f *testing.F) {
	f.Add([]byte(record("acme", "web", "1") + "\n2\n\"3\"\n"))
	f.Add([]byte("{\"id\":\"1\"\n\n\r\n\x00"))
	f.Fuzz(func(t *testing.T, output []byte) {
		n := 0
		for d, err := range ReadDelivered(strings.NewReader(string(output))) {
			n++
			if err == nil && (d.ID == "" || d.Count != 1) {
				t.Errorf("an event without an id: %+v", d)
			}
		}
		if most := strings.Count(string(output), "\n") + 1; n > most {
			t.Errorf("%d events in %d lines", n, most)
		}
	})
}

func FuzzReadCounts(f *testing.F) {
	f.Add([]byte(`{"ids":{"1":1}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		for d, err := range ReadCounts(strings.NewReader(string(answer))) {
			if err == nil && d.Tenant+d.Source != "" {
				t.Errorf("counts know no tenant: %+v", d)
			}
		}
	})
}
