package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/millrace-dev/millrace/internal/logfile"
)

// tail reads a log from its oldest file on, and goes on where the log goes on when it is rotated.
type tail struct {
	path string
	file *os.File
	buf  []byte
}

// openTail opens the oldest file of a log.
func openTail(path string) (*tail, error) {
	t := &tail{path: path, buf: make([]byte, 64<<10)}
	for {
		files, err := chain(path)
		switch {
		case err != nil:
			return nil, err
		case len(files) == 0:
			return nil, noLog(path)
		}
		if opened, err := t.open(files[0]); err != nil || opened {
			return t, err
		}
	}
}

// open goes on with a file, unless its name leads to another one by now.
func (t *tail) open(next logged) (opened bool, err error) {
	file, err := os.Open(next.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("logs: %w", err)
	}
	if info, err := file.Stat(); err != nil || !os.SameFile(info, next.info) {
		return false, errors.Join(err, file.Close())
	}
	t.close()
	t.file = file
	return true, nil
}

func (t *tail) close() {
	if t.file != nil {
		_ = t.file.Close() // nothing was written
	}
}

// read calls take with all that is there and was not read yet.
func (t *tail) read(take func([]byte)) error {
	for {
		if err := t.drain(take); err != nil {
			return err
		}
		next, err := t.next()
		if err != nil || next.path == "" {
			return err
		}
		// What was written between the end that was seen and the rotation.
		if err := t.drain(take); err != nil {
			return err
		}
		if _, err := t.open(next); err != nil {
			return err
		}
	}
}

// drain reads the file to its end.
func (t *tail) drain(take func([]byte)) error {
	for {
		n, err := t.file.Read(t.buf)
		take(t.buf[:n])
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("logs: %w", err)
		}
	}
}

// logged is a file of a log.
type logged struct {
	path string
	info fs.FileInfo
}

// next returns the file after the one that is being read, none when that is the newest.
func (t *tail) next() (logged, error) {
	reading, err := t.file.Stat()
	if err != nil {
		return logged{}, fmt.Errorf("logs: %w", err)
	}
	files, err := chain(t.path)
	if err != nil || len(files) == 0 {
		return logged{}, err
	}
	at := slices.IndexFunc(files, func(l logged) bool { return os.SameFile(l.info, reading) })
	if at == len(files)-1 {
		return logged{}, nil
	}
	return files[at+1], nil // the oldest when the file has been removed: those that are there are all newer
}

// chain returns the files of a log, the oldest first. It looks for the newest first: a rotation meanwhile shows a file
// twice, which does not matter, but hides none.
func chain(path string) ([]logged, error) {
	var files []logged
	for age := range logfile.Backups + 1 {
		name := path
		if age > 0 {
			name = logfile.Backup(path, age)
		}
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("logs: %w", err)
		case len(files) == 0 || !os.SameFile(info, files[len(files)-1].info):
			files = append(files, logged{name, info})
		}
	}
	slices.Reverse(files)
	return files, nil
}
