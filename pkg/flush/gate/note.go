package gate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/pkg/retry"
)

// Standing is how a sink stands, as an environment tells the others.
type Standing struct {
	// State is Open or Closed; of an Open one that is over, ReadStandings says HalfOpen.
	State State
	// Until is when an Open one may be probed. Zero when it is Closed.
	Until time.Time
	// Class and Cause of the failure that opened it. Setup: a person has to act. Empty when it is Closed.
	Class retry.Class
	Cause string
	// At is when it was written down, By the environment that did.
	At time.Time
	By string
}

const (
	// noteVersion is the format of the notes.
	noteVersion = 1
	// maxNote is the most bytes of a note that are read.
	maxNote = 2048
	// maxCause is the most bytes of a cause that are written; six times as many when every one is escaped.
	maxCause = 256
)

// note is a Standing as it is stored, see the package documentation. Times are Unix
// milliseconds.
type note struct {
	Version int         `json:"v"`
	State   State       `json:"state"`
	Until   int64       `json:"until,omitzero"`
	Class   retry.Class `json:"class,omitzero"`
	Cause   string      `json:"cause,omitzero"`
	At      int64       `json:"at"`
	By      string      `json:"by"`
}

func (s Standing) encode() ([]byte, error) {
	n := note{Version: noteVersion, State: s.State, Class: s.Class, At: s.At.UnixMilli(), By: s.By}
	n.Cause = strings.ToValidUTF8(s.Cause[:min(len(s.Cause), maxCause)], "")
	if !s.Until.IsZero() {
		n.Until = s.Until.UnixMilli()
	}
	text, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encode note: %w", err)
	}
	return text, nil
}

// decode reads a note. Members that it does not know are skipped, a version that it
// does not know is an error.
func decode(text []byte) (Standing, error) {
	if len(text) > maxNote {
		return Standing{}, fmt.Errorf("note of %d bytes, at most %d are read", len(text), maxNote)
	}
	var n note
	if err := json.Unmarshal(text, &n); err != nil {
		return Standing{}, fmt.Errorf("decode note: %w", err)
	}
	if n.Version != noteVersion {
		return Standing{}, fmt.Errorf("note of version %d, this Millrace reads %d", n.Version, noteVersion)
	}
	s := Standing{State: n.State, Class: n.Class, Cause: n.Cause, At: time.UnixMilli(n.At), By: n.By}
	switch n.State {
	case Closed:
		return Standing{State: Closed, At: s.At, By: s.By}, nil
	case Open:
		if n.Class != retry.Transient && n.Class != retry.Throttled && n.Class != retry.Setup {
			return Standing{}, fmt.Errorf("note of class %q, which opens no breaker", n.Class)
		}
		s.Until = time.UnixMilli(n.Until)
		return s, nil
	case HalfOpen:
	}
	return Standing{}, errors.New("note of a state that is neither open nor closed")
}
