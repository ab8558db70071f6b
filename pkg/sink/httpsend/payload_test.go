package httpsend

import (
	"io"
	"slices"
	"sync"
	"testing"
)

// TestPayload_ReusedOnlyWhenAllLetGo: a reader that outlives the attempt must not see
// the next request's bytes.
func TestPayload_ReusedOnlyWhenAllLetGo(t *testing.T) {
	t.Parallel()
	var pool buffers
	buf := []byte("the body")
	p := newPayload(&buf, &pool)
	first, second := p.reader(), p.reader()
	p.release()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil { // a second Close must not let go for another
		t.Fatal(err)
	}
	got, err := io.ReadAll(second)
	if err != nil || string(got) != "the body" {
		t.Errorf("the second reader got %q, %v, want the body", got, err)
	}
	if n := p.users.Load(); n != 1 {
		t.Errorf("%d users, want the second reader only", n)
	}
	second.Close()
	if len(buf) != 0 {
		t.Errorf("the buffer was not given back: it has %d bytes", len(buf))
	}
	if n, err := second.Read(make([]byte, 1)); n != 0 || err != io.EOF { //nolint:errorlint // io.Reader's own contract
		t.Errorf("Read after Close = %d, %v, want 0, EOF", n, err)
	}
}

func TestPayloadReader_CloseWhileReading(t *testing.T) {
	t.Parallel()
	var pool buffers
	for range 50 {
		buf := slices.Repeat([]byte("x"), 10_000)
		p := newPayload(&buf, &pool)
		r := p.reader()
		p.release()
		var group sync.WaitGroup
		group.Go(func() {
			got, _ := io.ReadAll(r)
			if slices.ContainsFunc(got, func(c byte) bool { return c != 'x' }) {
				t.Error("a reader saw bytes of another request")
			}
		})
		group.Go(func() { r.Close() })
		next := pool.get()
		*next = append(*next, slices.Repeat([]byte("y"), 10_000)...)
		group.Wait()
		pool.put(next)
	}
}

func TestBuffers_ForgetsOutsized(t *testing.T) {
	t.Parallel()
	var pool buffers
	big := make([]byte, 10, maxPooledBytes+1)
	pool.put(&big)
	if len(big) != 10 {
		t.Error("an outsized buffer was kept")
	}
}
