// Package logfile writes a log that stays small: when a file is full, it is renamed and a new one is begun.
//
//	ingest.log      the current one
//	ingest.log.1    the one before, up to
//	ingest.log.5    the oldest; what was before that is gone
//
// Who follows a log must open it anew when the name leads to another file.
package logfile

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
)

const (
	// MaxBytes is how long a file gets.
	MaxBytes = 10 << 20
	// Backups is how many old files are kept.
	Backups = 5
)

// File is a log. It is safe for concurrent use.
type File struct {
	path    string
	maximum int64

	mu   sync.Mutex
	file *os.File
	size int64
}

// Open goes on with the log at a path, or begins it. Close it.
func Open(path string) (*File, error) {
	f := &File{path: path, maximum: MaxBytes}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// Backup is the name of an old file, 1 being the youngest.
func Backup(path string, age int) string { return path + "." + strconv.Itoa(age) }

func (f *File) open() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("log: %w", errors.Join(err, file.Close()))
	}
	f.file, f.size = file, info.Size()
	return nil
}

// Write appends whole lines. It begins a new file first when they do not fit; what one call writes is in one file.
func (f *File) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.size > 0 && f.size+int64(len(lines)) > f.maximum {
		if err := f.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := f.file.Write(lines)
	f.size += int64(n)
	return n, err //nolint:wrapcheck // names the file
}

// rotate renames every file to the next age. A log that cannot be renamed is gone on with.
func (f *File) rotate() error {
	for age := Backups - 1; age > 0; age-- {
		_ = os.Rename(Backup(f.path, age), Backup(f.path, age+1)) // as a rule because there is none yet
	}
	before := f.file
	if err := os.Rename(f.path, Backup(f.path, 1)); err != nil {
		f.size = 0 // so that it is not tried again with every line
		return nil //nolint:nilerr // a log that is too long is better than none
	}
	if err := f.open(); err != nil {
		return err
	}
	return before.Close() //nolint:wrapcheck // names the file
}

// Close ends the log.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Close() //nolint:wrapcheck // names the file
}
