package audit

import (
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/millrace-dev/millrace/pkg/telemetry"
)

// Journal is what ingest said that it accepted: files with its lines of accepted events, the oldest first. Other lines in
// them do not matter.
type Journal struct {
	Files []string
	// Since and Until bound the time of acceptance, both included; a zero time is no bound.
	Since, Until time.Time
}

// events yields what was accepted, in the order of the files. A line that cannot be read, as a crash leaves one, is
// counted in unreadable.
func (j *Journal) events(unreadable *int) iter.Seq2[*telemetry.Accepted, error] {
	return func(yield func(*telemetry.Accepted, error) bool) {
		for _, path := range j.Files {
			if !j.file(path, unreadable, yield) {
				return
			}
		}
	}
}

// file yields the events of one file and says whether to go on.
func (j *Journal) file(path string, unreadable *int, yield func(*telemetry.Accepted, error) bool) bool {
	file, err := os.Open(path)
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
		events, err := telemetry.ParseAccepted(line)
		if err != nil {
			*unreadable++
		}
		for i := range events {
			if j.within(events[i].Time) && !yield(&events[i], nil) {
				return false
			}
		}
	}
	return true
}

func (j *Journal) within(t time.Time) bool {
	return (j.Since.IsZero() || !t.Before(j.Since)) && (j.Until.IsZero() || !t.After(j.Until))
}
