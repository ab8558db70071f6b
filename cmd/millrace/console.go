package main

import (
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// console is where a command reads and writes.
type console struct {
	in  io.Reader
	out io.Writer // results
	err io.Writer // progress, logs and errors
	// terminal says that a person is watching err, so lines may be redrawn.
	terminal bool
	getenv   func(string) string
}

func systemConsole() *console {
	return &console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		terminal: isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb", getenv: os.Getenv,
	}
}

// isTerminal says whether f is a character device other than /dev/null: good enough to decide how to draw.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// say writes one line for people.
func (c *console) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.err, format+"\n", args...)
}

// print writes one line of a result.
func (c *console) print(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, format+"\n", args...)
}

// printJSON writes v as one line.
func (c *console) printJSON(v any) error {
	if err := json.MarshalWrite(c.out, v, json.Deterministic(true), jsontext.EscapeForHTML(false)); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	c.print("")
	return nil
}

// fail reports err, when there is one, and returns the exit code.
func (c *console) fail(err error) int {
	if err != nil {
		c.say("millrace: %v", err)
	}
	return exitCode(err)
}
