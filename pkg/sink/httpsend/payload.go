package httpsend

import (
	"io"
	"sync"
	"sync/atomic"
)

// maxPooledBytes keeps one outsized batch from staying in memory for good.
const maxPooledBytes = 4 << 20

// buffers is a pool of byte slices.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() *[]byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return buf
	}
	return new([]byte)
}

func (b *buffers) put(buf *[]byte) {
	if cap(*buf) > maxPooledBytes {
		return
	}
	*buf = (*buf)[:0]
	b.pool.Put(buf)
}

// payload is the body of one request in a pooled buffer. net/http may go on reading a
// body after its reply has come, so the buffer goes back only when the attempt and all
// readers have let go of it.
type payload struct {
	buf     *[]byte
	buffers *buffers
	users   atomic.Int32
}

// newPayload returns a payload held by its caller, who must release it.
func newPayload(buf *[]byte, from *buffers) *payload {
	p := &payload{buf: buf, buffers: from}
	p.users.Store(1)
	return p
}

func (p *payload) release() {
	if p.users.Add(-1) == 0 {
		p.buffers.put(p.buf)
	}
}

// reader returns a new reader of the whole payload. It holds the payload until closed.
func (p *payload) reader() io.ReadCloser {
	p.users.Add(1)
	return &payloadReader{payload: p, rest: *p.buf}
}

// payloadReader is a request body. The lock is for net/http's goroutines: one may close
// a body that another still reads.
type payloadReader struct {
	mu      sync.Mutex
	payload *payload // nil once closed
	rest    []byte
}

func (r *payloadReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *payloadReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.payload != nil {
		r.payload.release()
		r.payload, r.rest = nil, nil
	}
	return nil
}
