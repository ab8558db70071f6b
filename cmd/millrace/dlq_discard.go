package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
)

type dlqDiscardCommand struct {
	dlqFlags
	letterFilter
	ID   string `placeholder:"ID" help:"Only the letter whose id begins so."`
	All  bool   `help:"Discard every letter. Needed when nothing else says which."`
	Yes  bool   `short:"y" help:"Do not ask. Needed where nobody can be asked."`
	JSON bool   `help:"Print one JSON object with the counts."`
}

// Help shows how to use it.
func (dlqDiscardCommand) Help() string {
	return `Deletes dead letters for good: their events are lost to the sink that did not take them. It counts first and asks for the
number. What arrives after it has counted stays. One line on standard error says who deleted what. To keep a copy, use
'millrace dlq export --remove'.

    millrace dlq discard --id 5f1c2a
    millrace dlq discard --sink archive --class permanent
    millrace dlq discard --tenant test --until 72h --yes`
}

// Run counts, asks and deletes.
func (d *dlqDiscardCommand) Run(ctx context.Context, c *console) error {
	choice := letterChoice{d.filter(), d.ID}
	switch {
	case choice.all() != d.All:
		return usageError("dlq discard: say which letters with --id, --sink or another filter, or --all for every one, and not both")
	case !d.Yes && !c.interactive:
		return usageError("dlq discard: nobody can be asked here; --yes deletes without asking")
	}
	source, err := d.open(ctx)
	if err != nil {
		return d.hint(err)
	}
	doomed := make(map[string]bool) // by message id
	var counted, gone letterSum
	err = through(ctx, source, lookVisibility, func(letters []letter, _ map[string]string) (bool, error) {
		for i := range letters {
			if choice.means(&letters[i]) {
				doomed[letters[i].message.ID] = true
				counted.add(&letters[i])
			}
		}
		return true, nil
	})
	if err != nil {
		return d.hint(err)
	}
	if !d.agreed(c, counted) {
		return fmt.Errorf("dlq discard: nothing was deleted")
	}
	if len(doomed) > 0 {
		err = through(ctx, source, takeVisibility, func(letters []letter, receipts map[string]string) (bool, error) {
			err := discard(ctx, source, letters, receipts, doomed, &gone)
			return len(doomed) > 0, err
		})
	}
	d.audit(ctx, c, choice, gone, err)
	if err != nil {
		return d.hint(err)
	}
	return d.print(c, counted, gone)
}

// agreed asks for the number of letters, unless nobody wants to be asked or there is none.
func (d *dlqDiscardCommand) agreed(c *console, counted letterSum) bool {
	if d.Yes || counted.Letters == 0 {
		return true
	}
	answer := c.ask(fmt.Sprintf("This deletes %s with %s for good. Type %d to go on: ",
		plural(counted.Letters, "letter"), plural(counted.Events, "event"), counted.Letters))
	return answer == strconv.Itoa(counted.Letters)
}

// discard deletes those of the letters that were counted, and takes them off the list.
func discard(ctx context.Context, source letterTaker, letters []letter, receipts map[string]string, doomed map[string]bool, gone *letterSum) error {
	var ids []string
	var sum letterSum
	for i := range letters {
		if id := letters[i].message.ID; doomed[id] {
			ids = append(ids, id)
			sum.add(&letters[i])
			delete(doomed, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := remove(ctx, source, ids, receipts); err != nil {
		return err
	}
	gone.Letters += sum.Letters
	gone.Events += sum.Events
	return nil
}

// audit leaves one JSON line that says who deleted what.
func (d *dlqDiscardCommand) audit(ctx context.Context, c *console, choice letterChoice, gone letterSum, err error) {
	slog.New(slog.NewJSONHandler(c.err, nil)).InfoContext(ctx, "discard", "by", whoami(), "queue", d.Queue, "filter", choice.Filter,
		"id", d.ID, "all", d.All, "letters", gone.Letters, "events", gone.Events, "error", err)
}

func (d *dlqDiscardCommand) print(c *console, counted, gone letterSum) error {
	if d.JSON {
		return c.printJSON(gone)
	}
	c.print("deleted %s with %s", plural(gone.Letters, "letter"), plural(gone.Events, "event"))
	if missed := counted.Letters - gone.Letters; missed > 0 {
		c.print("%s went elsewhere meanwhile", plural(missed, "letter"))
	}
	return nil
}
