package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/internal/audit"
	"github.com/millrace-dev/millrace/pkg/event"
)

type auditCommand struct {
	awsFlags
	Accepted    []string  `type:"path" placeholder:"FILE" help:"Files with the lines of accepted events, the oldest first. Default: what 'millrace dev' has kept."`
	Sink        []string  `placeholder:"NAME=FILE" help:"What a sink has: records as the file sink writes them, or a list of ids, one a line; - reads standard input. Default: what file sinks and demo sinks tell."`
	Config      string    `type:"path" placeholder:"FILE" help:"The configuration. Needed where no 'millrace dev' answers."`
	DeadLetters string    `name:"dead-letters" default:"millrace-dlq" help:"Name or URL of the dead-letter queue, where no 'millrace dev' answers."`
	Since       timeOrAge `placeholder:"TIME" help:"Only events accepted since then: 2026-03-01T10:00:00Z, or 90m for 90 minutes ago."`
	Limit       int       `default:"20" help:"Name at most this many events."`
	Strict      bool      `help:"Exit with 1 also when a sink has an event more than once."`
	JSON        bool      `help:"Print one JSON object."`
}

// Help shows how to use it.
func (auditCommand) Help() string {
	return `Compares, event by event, what ingest accepted with what the sinks have, and names each event that is missing,
doubled, still on its way or a dead letter, with the place where it was last known.

    millrace audit
    millrace audit --since 1h --strict --json
    psql -Atc 'select id from events' | millrace audit --sink warehouse=-
    millrace audit --stack prod --config millrace.yaml --accepted accepted.ndjson --sink archive=archive.ndjson

'millrace dev' keeps the ids that it accepted. On AWS, ingest logs them when the stack sets Functions.Audit: export
these lines from CloudWatch Logs; the main queue cannot be looked into there, so wait until it is empty.

What 'dlq discard' or 'dlq export --remove' took, or 'replay --to' sent to another sink, is missing at the sink that
was to get it. An event that was sent several times may be there as often unless dedup goes by event. A list of ids
does not say whose they are: an id that two tenants use must be there twice, and when it is there once, one of the two
events is named as missing, nobody knows which.

Exit code 0 when nothing is missing, 1 when something is, or is doubled with --strict.`
}

// auditReport is what is printed.
type auditReport struct {
	// Balanced says that nothing is missing and, with --strict, nothing doubled.
	Balanced bool                    `json:"balanced"`
	Journal  audit.Summary           `json:"journal"`
	Sinks    map[string]audit.Counts `json:"sinks"`
	// NotCompared says why for each sink that tells no ids.
	NotCompared map[string]string `json:"not_compared"`
	// Events that are not at their sink exactly once, the worst first, up to the limit; More were left out.
	Events []audit.Finding `json:"events"`
	More   int             `json:"more"`
	// QueueHidden says that the main queue holds packs that could not be looked into.
	QueueHidden int `json:"queue_hidden"`
}

// Run compares.
func (a *auditCommand) Run(ctx context.Context, c *console) error {
	if a.Limit < 0 {
		return usageError("audit: --limit must not be negative")
	}
	report, err := a.compare(ctx, c)
	if err != nil {
		return a.hint(err)
	}
	if a.JSON {
		err = c.printJSON(report)
	} else {
		printAudit(c, &report)
	}
	if err == nil && !report.Balanced {
		err = fmt.Errorf("the books do not balance: %s", imbalance(&report))
	}
	return err
}

// compare goes through everything in the order in which events move.
func (a *auditCommand) compare(ctx context.Context, c *console) (auditReport, error) {
	source, err := a.open(ctx)
	if err != nil {
		return auditReport{}, err
	}
	journal := source.journal
	journal.Since, journal.Until = a.Since.Time, time.Now()
	report := auditReport{Sinks: make(map[string]audit.Counts), NotCompared: make(map[string]string)}
	router := source.router()
	if report.Journal, err = audit.Summarise(&journal, router.Sinks); err != nil {
		return auditReport{}, err //nolint:wrapcheck // names the file
	}
	var where audit.Whereabouts
	if report.QueueHidden, err = source.look(ctx, &where); err != nil {
		return auditReport{}, err
	}
	outputs, err := a.outputs(&source.setup, c.in)
	if err != nil {
		return auditReport{}, err
	}
	named := newNamed(a.Limit)
	for _, o := range outputs {
		wants := func(e *event.Event) bool { return slices.Contains(router.Sinks(e), o.name) }
		counts, err := o.compare(ctx, &journal, &where, audit.Sink{Name: o.name, Wants: wants, ByFields: source.byFields}, named.add)
		if why := notCompared(err); why != "" {
			report.NotCompared[o.name] = why
			continue
		}
		if err != nil {
			return auditReport{}, err
		}
		report.Sinks[o.name] = counts
	}
	if len(report.Sinks) == 0 {
		return auditReport{}, usageError("audit: no sink tells what it has: say it with --sink NAME=FILE")
	}
	report.Journal.Removed = journal.Removed()
	report.Events, report.More = named.worst()
	report.Balanced = a.balanced(&report)
	return report, nil
}

func (a *auditCommand) balanced(r *auditReport) bool {
	for _, counts := range r.Sinks {
		if counts.Missing > 0 || (a.Strict && counts.Doubled > 0) {
			return false
		}
	}
	return true
}

// named keeps the events to name: of each verdict as many as may be printed.
type named struct {
	limit, seen int
	by          map[audit.Verdict][]audit.Finding
}

func newNamed(limit int) *named {
	return &named{limit: limit, by: make(map[audit.Verdict][]audit.Finding)}
}

func (n *named) add(f *audit.Finding) {
	n.seen++
	if len(n.by[f.Verdict]) < n.limit {
		n.by[f.Verdict] = append(n.by[f.Verdict], *f)
	}
}

// worst returns as many as may be printed, and how many others there are.
func (n *named) worst() (events []audit.Finding, more int) {
	events = []audit.Finding{}
	for _, verdict := range []audit.Verdict{audit.Missing, audit.Doubled, audit.DeadLettered, audit.InFlight, audit.GivenUp} {
		found := n.by[verdict]
		events = append(events, found[:min(len(found), n.limit-len(events))]...)
	}
	return events, n.seen - len(events)
}
