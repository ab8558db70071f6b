package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

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
	// interactive says that a person can also answer on in.
	interactive bool
	getenv      func(string) string
}

func systemConsole() *console {
	return &console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		terminal: isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb", interactive: isTerminal(os.Stderr) && isTerminal(os.Stdin),
		getenv: os.Getenv,
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

// ask returns what a person answers to a question, without the spaces around it.
func (c *console) ask(question string) string {
	_, _ = fmt.Fprint(c.err, question)
	line, _ := bufio.NewReader(c.in).ReadString('\n') // no answer is an empty one
	return strings.TrimSpace(line)
}

// whoami names the person at the console, for audit lines: "kim@laptop".
func whoami() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
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
