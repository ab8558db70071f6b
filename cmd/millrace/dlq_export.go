package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

type dlqExportCommand struct {
	dlqFlags
	letterFilter
	ID     string `placeholder:"ID" help:"Only the letter whose id begins so."`
	File   string `arg:"" type:"path" help:"File to write, one letter a line. It must not exist yet."`
	Remove bool   `help:"Delete the letters from the queue once they are safe in the file."`
	JSON   bool   `help:"Print one JSON object with the counts."`
}

// Help shows how to use it.
func (dlqExportCommand) Help() string {
	return `Writes dead letters to a file as JSON lines, complete: header, events (those in the bucket, too), and whatever else lies on the
queue. 'millrace dlq import' puts them back. With --remove a letter is deleted only after the file is synced to disk.

    millrace dlq export letters.ndjson
    millrace dlq export --class permanent --until 72h --remove old.ndjson
    jq -r .header.reason.cause letters.ndjson | sort | uniq -c`
}

// letterSum counts letters and their events.
type letterSum struct {
	Letters int `json:"letters"`
	Events  int `json:"events"`
}

func (s *letterSum) add(l *letter) {
	s.Letters++
	s.Events += l.header.Count
}

// Run writes the file.
func (d *dlqExportCommand) Run(ctx context.Context, c *console) error {
	source, err := d.open(ctx)
	if err != nil {
		return d.hint(err)
	}
	file, err := os.OpenFile(d.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("dlq export: %w", err)
	}
	export := letterExport{
		source: source, bucket: &letterBucket{flags: d.dlqFlags}, choice: letterChoice{d.filter(), d.ID},
		file: file, out: bufio.NewWriter(file), remove: d.Remove,
	}
	err = export.run(ctx)
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("dlq export: %w", closeErr)
	}
	if err != nil {
		return d.hint(fmt.Errorf("%w\n%s holds %s that were written before", err, d.File, plural(export.synced.Letters, "letter")))
	}
	if d.JSON {
		return c.printJSON(export.synced)
	}
	verb := "wrote"
	if d.Remove {
		verb = "moved"
	}
	c.print("%s %s with %s to %s", verb, plural(export.synced.Letters, "letter"), plural(export.synced.Events, "event"), d.File)
	return nil
}

// letterTaker is a queue that letters can be taken from; *queue.Queue is one.
type letterTaker interface {
	letterSource
	Delete(ctx context.Context, receipts ...string) error
}

// syncedFile is a file that can be made to outlast a crash; *os.File is one.
type syncedFile interface {
	io.Writer
	Sync() error
}

// letterExport writes letters away.
type letterExport struct {
	source letterTaker
	bucket getter
	choice letterChoice
	file   syncedFile
	out    *bufio.Writer
	remove bool
	synced letterSum
}

func (e *letterExport) run(ctx context.Context) error {
	err := through(ctx, e.source, takeVisibility, func(letters []letter, receipts map[string]string) (bool, error) {
		return true, e.take(ctx, letters, receipts)
	})
	return errors.Join(err, e.sync())
}

// take writes the letters that are meant, and deletes them when that is asked for and they are safe.
func (e *letterExport) take(ctx context.Context, letters []letter, receipts map[string]string) error {
	var sum letterSum
	var safe []string
	for i := range letters {
		l := &letters[i]
		if !e.choice.means(l) {
			continue
		}
		if err := fetch(ctx, e.bucket, l); err != nil {
			return fmt.Errorf("dlq export: %w", err)
		}
		line, err := exportLine(l)
		if err != nil {
			return err
		}
		if _, err := e.out.Write(line); err != nil {
			return fmt.Errorf("dlq export: %w", err)
		}
		sum.add(l)
		safe = append(safe, l.message.ID)
	}
	if e.remove && len(safe) > 0 {
		if err := e.sync(); err != nil {
			return err
		}
		if err := remove(ctx, e.source, safe, receipts); err != nil {
			return err
		}
	}
	e.synced.Letters += sum.Letters
	e.synced.Events += sum.Events
	return nil
}

func (e *letterExport) sync() error {
	if err := errors.Join(e.out.Flush(), e.file.Sync()); err != nil {
		return fmt.Errorf("dlq export: %w", err)
	}
	return nil
}

// remove deletes letters by their message ids and forgets their receipts.
func remove(ctx context.Context, source letterTaker, ids []string, receipts map[string]string) error {
	gone := make([]string, len(ids))
	for i, id := range ids {
		gone[i] = receipts[id]
		delete(receipts, id) // even if deleting fails: nobody knows which are gone, and the others come back
	}
	if err := source.Delete(ctx, gone...); err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	return nil
}
