package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/audit"
	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/processor/route"
)

// auditSource is where an audit finds what was accepted and what lies on the queues.
type auditSource struct {
	setup   setup
	journal audit.Journal
	// look enters what lies on the queues, and says how many packs it could not look into.
	look func(context.Context, *audit.Whereabouts) (hidden int, err error)
}

func (s *auditSource) router() *route.Router { return route.New(s.setup.Routes) }

// byFields says whether fields of an event decide what its duplicates are.
func (s *auditSource) byFields(e *event.Event) bool {
	return slices.ContainsFunc(s.setup.ByFields, func(m route.Match) bool {
		matcher := route.NewMatcher(m)
		return matcher.Fits(e)
	})
}

// open asks the `millrace dev` at the endpoint; where none answers, the flags say everything.
func (a *auditCommand) open(ctx context.Context) (*auditSource, error) {
	source := &auditSource{journal: audit.Journal{Files: a.Accepted}}
	err := errNoPage
	if a.address() != realAWS {
		err = askPage(ctx, a.address(), setupPath, &source.setup)
	}
	switch {
	case errors.Is(err, errNoPage):
		source.look = a.lookAtLetters
		err = a.fromConfig(&source.setup)
	case err == nil:
		source.look = a.lookAtContents
		if len(a.Accepted) == 0 {
			source.journal, err = keptJournal(source.setup.Accepted)
		}
	}
	if err == nil && len(source.journal.Files) == 0 {
		err = usageError("audit: say with --accepted which files hold the lines of accepted events")
	}
	return source, err
}

// keptJournal returns the files that a `millrace dev` keeps.
func keptJournal(directory string) (audit.Journal, error) {
	if directory == "" {
		return audit.Journal{}, usageError("audit: this 'millrace dev' keeps nothing (--data memory), so nobody knows what it accepted")
	}
	accepted, err := audit.KeptFiles(filepath.Join(directory, devstack.Ingest))
	ended, errEnded := audit.KeptFiles(filepath.Join(directory, devstack.Flush))
	if err = errors.Join(err, errEnded); err == nil && len(accepted) == 0 {
		err = usageError("audit: nothing was accepted yet: %s is empty", directory)
	}
	return audit.Journal{Files: slices.Concat(accepted, ended), Kept: true}, err
}

func (a *auditCommand) fromConfig(s *setup) error {
	if a.Config == "" {
		return usageError("audit: no 'millrace dev' answers at %s: say with --config which configuration the stack has", a.address())
	}
	loaded, err := configFile{Config: a.Config}.load()
	if err != nil {
		return err
	}
	here, err := filepath.Abs(".")
	*s = newSetup(loaded, here, "")
	return err
}

// lookAtContents asks `millrace dev` what lies on its queues, the main queue first.
func (a *auditCommand) lookAtContents(ctx context.Context, where *audit.Whereabouts) (hidden int, err error) {
	return 0, streamPage(ctx, a.address(), contentsPath, func(decoder *jsontext.Decoder) error {
		for _, place := range []audit.Where{audit.MainQueue, audit.DeadLetters} {
			if err := readPacks(decoder, place, where); err != nil {
				return err
			}
		}
		return nil
	})
}

// readPacks reads the next member of the contents: its packs, one after the other.
func readPacks(decoder *jsontext.Decoder, place audit.Where, where *audit.Whereabouts) error {
	for _, want := range []jsontext.Kind{'"', '['} {
		if token, err := decoder.ReadToken(); err != nil || token.Kind() != want {
			return errors.Join(fmt.Errorf("%s is not where it was expected", place), err)
		}
	}
	for decoder.PeekKind() == '{' {
		var p packContents
		if err := json.UnmarshalDecode(decoder, &p); err != nil {
			return err //nolint:wrapcheck // the caller says what it reads
		}
		p.enter(place, where)
	}
	_, err := decoder.ReadToken()
	return err //nolint:wrapcheck // the caller says what it reads
}

// enter adds a pack's events to the whereabouts. An item that ingest refused was never accepted, so it is left out.
func (p *packContents) enter(place audit.Where, where *audit.Whereabouts) {
	if p.Stop == deadletter.StopRefused {
		return
	}
	class := p.Class
	if place == audit.DeadLetters && p.Stop == "" {
		class = deadletter.ClassCrashed
	}
	events := make([]audit.Delivered, min(len(p.IDs), len(p.Sources)))
	for i := range events {
		events[i] = audit.Delivered{Source: p.Sources[i], ID: p.IDs[i]}
	}
	where.Add(audit.Place{
		Where: place, Pack: p.Pack, Sink: p.Sink, Class: class, Status: p.Status, Stop: p.Stop, Cause: p.Cause, Attempts: p.Attempts,
	}, p.Tenant, events)
}

// lookAtLetters receives the dead letters of a stack and puts them back. What is on the main queue belongs to its
// flushes: receiving it would hide it from them.
func (a *auditCommand) lookAtLetters(ctx context.Context, where *audit.Whereabouts) (hidden int, err error) {
	config, err := a.config(ctx)
	if err != nil {
		return 0, err
	}
	client := sqs.NewFromConfig(config)
	depth, err := depthOf(ctx, client, a.named(devstack.MainQueue))
	if err != nil {
		return 0, err
	}
	letters, err := queueNamed(ctx, client, a.named(a.DeadLetters))
	if err != nil {
		return 0, err
	}
	bucket := &letterBucket{flags: dlqFlags{awsFlags: a.awsFlags}}
	var failure error
	err = look(ctx, letters, deadletter.Filter{}, func(l letter) bool {
		if failure = fetch(ctx, bucket, &l); failure != nil {
			return false
		}
		if p, err := batch.Decode(l.message.Body, l.message.Events); err == nil {
			contents := newPackContents(&p)
			contents.enter(audit.DeadLetters, where)
		}
		return true
	})
	return depth.Total(), errors.Join(err, failure)
}

// nameAndFile cuts a --sink flag.
func nameAndFile(flag string) (name, file string, err error) {
	name, file, found := strings.Cut(flag, "=")
	if !found || name == "" || file == "" {
		return "", "", usageError("audit: --sink %q is not NAME=FILE", flag)
	}
	return name, file, nil
}
