package e2e

import (
	"fmt"
	"testing"

	"github.com/millrace-dev/millrace/internal/demosink"
)

// A sick sink hurts nobody else: while one sink answers 500, the other gets every event
// exactly once; the sick one gets them by retry when it is well again. At every moment
// the books balance.
func TestTwoSinks_OneSickForAWhile_BooksBalanceAllTheTime(t *testing.T) {
	t.Parallel()
	s := start(t, knobs{retry: "{ max_inline_wait: 1s }", args: []string{"--flush-timeout", "5s"}})
	s.two.Behave(demosink.Behaviour{Status: 500})
	var accepted []string
	for i := range 20 {
		accepted = append(accepted, s.send(t, fmt.Sprintf("sick%02d", i), 50)...)
		s.balanced(t, "one", s.one, accepted)
		s.balanced(t, "two", s.two, accepted)
	}
	until(t, "the healthy sink has everything", has(s.one, accepted))
	s.balanced(t, "two", s.two, accepted)
	if got := s.two.Stats().Events; got != 0 {
		t.Fatalf("the sick sink took %d events", got)
	}
	s.two.Behave(demosink.Behaviour{})
	until(t, "the sick sink has everything", func() bool {
		s.balanced(t, "two", s.two, accepted)
		return has(s.two, accepted)()
	})
	until(t, "the queue is empty", func() bool { return len(s.contents(t).Queue) == 0 })
	exactly(t, "one", s.one, accepted)
	exactly(t, "two", s.two, accepted)
}
