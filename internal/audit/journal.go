package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"time"

	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// Journal is what functions said of events: files with ingest's lines of accepted events and flush's lines of events that
// ended without a delivery, the oldest first. Other lines in them do not matter.
type Journal struct {
	Files []string
	// Kept says that they are those of a Keeper, which removes the oldest to make room, also while they are read. Any other file
	// that is not there is an error.
	Kept bool
	// Since and Until bound the time of acceptance, both included; a zero time is no bound.
	Since, Until time.Time

	removed map[string]bool
}

// Removed is how many files were removed before they could be read, or read once more.
func (j *Journal) Removed() int { return len(j.removed) }

// events yields what was accepted, in the order of the files. A line that cannot be read, as a crash leaves one, is
// counted in unreadable.
func (j *Journal) events(unreadable *int) iter.Seq2[*telemetry.Accepted, error] {
	return func(yield func(*telemetry.Accepted, error) bool) {
		for line, err := range j.lines() {
			if err != nil {
				yield(nil, err)
				return
			}
			events, err := telemetry.ParseAccepted(line)
			if err != nil {
				*unreadable++
			}
			for i := range events {
				if j.within(events[i].Time) && !yield(&events[i], nil) {
					return
				}
			}
		}
	}
}

// ended yields what ended at a sink without a delivery, whenever that was.
func (j *Journal) ended(sink string) iter.Seq2[*telemetry.Ended, error] {
	return func(yield func(*telemetry.Ended, error) bool) {
		for line, err := range j.lines() {
			if err != nil {
				yield(nil, err)
				return
			}
			e, ok, _ := telemetry.ParseEnded(line) // what cannot be read is not known
			if ok && e.Sink == sink && !yield(&e, nil) {
				return
			}
		}
	}
}

// lines yields the lines of all files.
func (j *Journal) lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, path := range j.Files {
			if !j.linesOf(path, yield) {
				return
			}
		}
	}
}

// linesOf yields the lines of one file and says whether to go on.
func (j *Journal) linesOf(path string, yield func([]byte, error) bool) bool {
	file, err := os.Open(path)
	if j.Kept && errors.Is(err, fs.ErrNotExist) {
		if j.removed == nil {
			j.removed = make(map[string]bool)
		}
		j.removed[path] = true
		return true
	}
	if err != nil {
		yield(nil, fmt.Errorf("accepted events: %w", err))
		return false
	}
	defer func() { _ = file.Close() }()
	for line, err := range lines(file) {
		if err != nil {
			yield(nil, fmt.Errorf("accepted events: %s: %w", path, err))
			return false
		}
		if !yield(line, nil) {
			return false
		}
	}
	return true
}

func (j *Journal) within(t time.Time) bool {
	return (j.Since.IsZero() || !t.Before(j.Since)) && (j.Until.IsZero() || !t.After(j.Until))
}
