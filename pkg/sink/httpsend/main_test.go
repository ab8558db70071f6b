package httpsend

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/pkg/sink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSender(t *testing.T, o Options) *Sender {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func text(body string) func([]byte) []byte {
	return func(dst []byte) []byte { return append(dst, body...) }
}

// failureOf wants a *sink.Failure.
func failureOf(t *testing.T, err error) *sink.Failure {
	t.Helper()
	failure, ok := errors.AsType[*sink.Failure](err)
	if !ok {
		t.Fatalf("got error %v, want a *sink.Failure", err)
	}
	return failure
}
