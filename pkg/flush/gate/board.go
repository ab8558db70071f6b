package gate

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Notes is a store that keeps small texts for all environments; those of pkg/dedup do.
type Notes interface {
	Reader
	// WriteNote leaves a text under a name for a time; the last writer wins.
	WriteNote(ctx context.Context, name string, text []byte, keep time.Duration) error
	// AddNote does so unless one is there. Of several that try at once one has added it.
	AddNote(ctx context.Context, name string, text []byte, keep time.Duration) (added bool, err error)
}

// Reader is the part of Notes that status needs.
type Reader interface {
	// ReadNotes returns the texts that are there, by name.
	ReadNotes(ctx context.Context, names ...string) (map[string][]byte, error)
}

const (
	// lookEvery is how often an environment that is at work looks at what others wrote.
	lookEvery = 5 * time.Second
	// patience is how long one call waits for the store. DynamoDB answers in 5 to 20 ms, over
	// a new connection of a small function in 100.
	patience = 500 * time.Millisecond
	// awayPause is how long a store is left alone that did not answer.
	awayPause = 30 * time.Second
	// probeLease is for how long others leave a probe to who began it: longer than most
	// sinks need for an answer.
	probeLease = 10 * time.Second
	// keepOver is how long a note outlasts the time that a sink is left alone, so that an
	// environment which starts just then probes first.
	keepOver = 10 * time.Second
)

func noteName(sink string) string  { return "sink/" + sink }
func probeName(sink string) string { return "probe/" + sink }

// Board is where the environments that share a store tell each other how sinks stand.
// Nothing depends on it: while the store is away each environment knows what it sees
// itself. A nil Board is that of an environment that shares nothing. It is safe for
// concurrent use.
type Board struct {
	notes  Notes
	logger *slog.Logger
	by     string

	mu     sync.Mutex
	gates  map[string]*Gate  // by the name of the note
	seen   map[string]string // the note that was read last
	lookAt time.Time         // when to look again
	callAt time.Time         // when to call a store again that is away; zero when it is not
}

// NewBoard returns a board in a store, which it does not touch yet. Gates that are made
// with it are on it.
func NewBoard(notes Notes, logger *slog.Logger) *Board {
	id := make([]byte, 8) //nolint:mnd // enough to tell environments apart
	_, _ = rand.Read(id)  // never fails
	return &Board{
		notes: notes, logger: logger, by: hex.EncodeToString(id),
		gates: make(map[string]*Gate), seen: make(map[string]string),
	}
}

func (b *Board) join(sink string, g *Gate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gates[noteName(sink)] = g
}

// Look reads what the other environments wrote, if that was not done within the last
// five seconds, and tells the gates what is new. It takes half a second at most.
func (b *Board) Look(ctx context.Context) {
	if b == nil || !b.due(time.Now()) {
		return
	}
	gates := b.witnesses()
	var found map[string][]byte
	b.call(ctx, func(ctx context.Context) (err error) {
		found, err = b.notes.ReadNotes(ctx, slices.Collect(maps.Keys(gates))...)
		return err
	})
	for name, text := range found {
		if s, news := b.read(name, text); news {
			gates[name].adopt(s, gates[name].seenIn)
		}
	}
}

func (b *Board) due(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.lookAt) {
		return false
	}
	b.lookAt = now.Add(lookEvery)
	return true
}

// witness is a gate as it was before the store was read. What it finds out itself meanwhile
// is newer than what is read.
type witness struct {
	*Gate
	seenIn int // its era
}

func (b *Board) witnesses() map[string]witness {
	b.mu.Lock()
	defer b.mu.Unlock()
	gates := make(map[string]witness, len(b.gates))
	for name, g := range b.gates {
		gates[name] = witness{g, g.era()}
	}
	return gates
}

// read says what is new in a note: not what we wrote, nor what was read before, nor what
// cannot be read, such as a note of a newer Millrace.
func (b *Board) read(name string, text []byte) (s Standing, news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen[name] == string(text) {
		return Standing{}, false
	}
	b.seen[name] = string(text)
	s, err := decode(text)
	if err != nil {
		b.logger.Warn("note about a sink is ignored", "note", name, "cause", err)
		return Standing{}, false
	}
	return s, s.By != b.by
}

// tell writes down how a sink stands, for as long as it can matter to others.
func (b *Board) tell(ctx context.Context, sink string, s Standing, openFor time.Duration) {
	s.By = b.by
	b.call(ctx, func(ctx context.Context) error {
		text, err := s.encode()
		if err != nil {
			return err
		}
		return b.notes.WriteNote(ctx, noteName(sink), text, openFor+keepOver)
	})
}

// mayProbe says whether the next probe of a sink is ours. It is when the store cannot be asked.
func (b *Board) mayProbe(ctx context.Context, sink string, openFor time.Duration) bool {
	added := true
	b.call(ctx, func(ctx context.Context) error {
		ours, err := b.notes.AddNote(ctx, probeName(sink), []byte(b.by), min(probeLease, openFor))
		added = ours || err != nil
		return err
	})
	return added
}

// call asks the store something, unless it is away. The end of ctx does not stop it, so
// that what the last attempt of a flush has found out is still told.
func (b *Board) call(ctx context.Context, ask func(context.Context) error) {
	if b.away(time.Now()) {
		return
	}
	patient, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	b.answered(ask(patient))
}

func (b *Board) away(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.callAt)
}

// answered warns when the store goes away, and says when it is back.
func (b *Board) answered(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := !b.callAt.IsZero()
	b.callAt = time.Time{}
	switch {
	case err != nil:
		b.callAt = time.Now().Add(awayPause)
		if !was {
			b.logger.Warn("store of sink states is away; each environment finds out by itself", "cause", err)
		}
	case was:
		b.logger.Info("store of sink states is back")
	}
}

// ReadStandings returns how sinks stand by the notes of all environments: a sink that is
// not in the map is well as far as anybody knows.
func ReadStandings(ctx context.Context, notes Reader, sinks ...string) (map[string]Standing, error) {
	names := make([]string, len(sinks))
	for i, sink := range sinks {
		names[i] = noteName(sink)
	}
	found, err := notes.ReadNotes(ctx, names...)
	if err != nil {
		return nil, err
	}
	standings := make(map[string]Standing, len(found))
	for i, sink := range sinks {
		s, err := decode(found[names[i]])
		if err != nil {
			continue // as the environments do
		}
		if s.State == Open && !time.Now().Before(s.Until) {
			s.State = HalfOpen
		}
		standings[sink] = s
	}
	return standings, nil
}
