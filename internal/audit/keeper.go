package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/pkg/telemetry"
)

const (
	// keptFileBytes ends a file of the journal, and keptBytes is how much stays: some ten million events.
	keptFileBytes = 64 << 20
	keptBytes     = 1 << 30
	// keptName is the time at which a file was begun, so that names sort as times do.
	keptName = "20060102T150405.000000000Z.ndjson"
)

// Keeper keeps the lines of accepted and of ended events out of a function's output in the files of a directory, and passes
// the other lines on. A file is made when there is something for it; when all are too large together, the oldest go. It is safe
// for concurrent use if each write is one or more whole lines of one sort.
type Keeper struct {
	directory string
	rest      io.Writer
	fileBytes int
	maximum   int64

	mu      sync.Mutex
	file    *os.File
	written int
}

// NewKeeper keeps lines in a directory, which is made when it is needed.
func NewKeeper(directory string, rest io.Writer) *Keeper {
	return &Keeper{directory: directory, rest: rest, fileBytes: keptFileBytes, maximum: keptBytes}
}

// Write keeps p, or passes it on.
func (k *Keeper) Write(p []byte) (int, error) {
	if !telemetry.IsAccepted(p) && !telemetry.IsEnded(p) {
		return k.rest.Write(p) //nolint:wrapcheck // as if it had been written there
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil || k.written+len(p) > k.fileBytes {
		if err := k.begin(); err != nil {
			return 0, err
		}
	}
	n, err := k.file.Write(p)
	k.written += n
	return n, err //nolint:wrapcheck // names the file
}

// begin ends the file that is being written, begins the next and removes what is too old.
func (k *Keeper) begin() error {
	if err := errors.Join(k.end(), os.MkdirAll(k.directory, 0o750)); err != nil {
		return fmt.Errorf("journal of accepted events: %w", err)
	}
	path := filepath.Join(k.directory, time.Now().UTC().Format(keptName))
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("journal of accepted events: %w", err)
	}
	k.file, k.written = file, 0
	k.makeRoom()
	return nil
}

// makeRoom removes the oldest files, so that there is room for the one that was begun. What cannot be removed stays: a journal
// that is too large is better than one that lacks a line. The size counts and not the number, because every start begins a file.
func (k *Keeper) makeRoom() {
	files, _ := KeptFiles(k.directory)
	room := k.maximum - int64(k.fileBytes)
	for _, path := range slices.Backward(files) {
		if info, err := os.Stat(path); err == nil {
			room -= info.Size()
		}
		if room < 0 {
			_ = os.Remove(path)
		}
	}
}

func (k *Keeper) end() error {
	if k.file == nil {
		return nil
	}
	file := k.file
	k.file = nil
	return file.Close() //nolint:wrapcheck // names the file
}

// Close ends the file that is being written.
func (k *Keeper) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.end()
}

// KeptFiles returns the files of a directory that a Keeper has written, the oldest first. A directory that does not
// exist has none.
func KeptFiles(directory string) ([]string, error) {
	entries, err := os.ReadDir(directory) // sorted by name
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("journal of accepted events: %w", err)
	}
	var files []string
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == filepath.Ext(keptName) {
			files = append(files, filepath.Join(directory, entry.Name()))
		}
	}
	return files, nil
}
