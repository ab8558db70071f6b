package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	// File is the file's name, empty for a configuration that was not read from one.
	File string
	// Line in the file, from 1; 0 when the problem has none.
	Line int
	// Path of the key: "sinks.warehouse.url", "keys[0].sha256". Empty for the whole file.
	Path string
	// Message says what is wrong and what to do. It never holds a secret.
	Message string
}

// Error returns "file:line: path: message", without the parts that are not known.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is everything that is wrong with a configuration, by line. As an error it
// holds at least one problem.
type Problems []Problem

// Error returns one problem per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the single problems.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, problem := range p {
		errs[i] = problem
	}
	return errs
}

// err returns the problems by line as an error, nil when there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return p
}

// report collects problems. It keeps one per path: the first, because later checks
// often stumble over what an earlier one has already named.
type report struct {
	file     string
	lines    map[string]int
	problems Problems
	seen     map[string]bool
	unread   map[string]bool
}

func newReport(file string, lines map[string]int) *report {
	return &report{file: file, lines: lines, seen: map[string]bool{}, unread: map[string]bool{}}
}

// add reports a problem at the line of path, or of its nearest parent that has one.
func (r *report) add(path, format string, args ...any) {
	r.addAt(lineOf(r.lines, path), path, format, args...)
}

func (r *report) addAt(line int, path, format string, args ...any) {
	if r.seen[path] || r.isUnread(path) {
		return
	}
	r.seen[path] = true
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Path: path, Message: fmt.Sprintf(format, args...)})
}

// excuse keeps later checks from reporting path: an earlier problem explains it.
func (r *report) excuse(path string) { r.seen[path] = true }

// close keeps later checks from reporting what is below path: it could not be read.
func (r *report) close(path string) { r.unread[path] = true }

func (r *report) isUnread(path string) bool {
	for len(r.unread) > 0 && path != "" {
		path = parent(path)
		if r.unread[path] {
			return true
		}
	}
	return false
}

// touches reports whether there is a problem at path or below it.
func (r *report) touches(path string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool {
		return p.Path == path || strings.HasPrefix(p.Path, path+".")
	})
}

// lineOf returns the line of path or of its nearest parent, 0 when none is known.
func lineOf(lines map[string]int, path string) int {
	for path != "" {
		if line, known := lines[path]; known {
			return line
		}
		path = parent(path)
	}
	return 0
}

// parent returns the path of what holds the value at path.
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }
