package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/devstack"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck"
)

// contents are the packs on both queues, hidden ones too, at one moment each: the main queue's first. An event that was on the
// main queue then and is not among the dead letters has been delivered, is still on its way, or is lost.
type contents struct {
	Queue       []packContents `json:"queue"`
	DeadLetters []packContents `json:"dead_letters"`
}

type packContents struct {
	Pack string `json:"pack"`
	// Sink is empty for a pack that concerns all sinks.
	Sink   string `json:"sink"`
	Tenant string `json:"tenant"`
	// Class, Status, Stop, Cause and Attempts tell of the latest failure.
	Class    string `json:"class,omitempty"`
	Status   int    `json:"status,omitzero"`
	Stop     string `json:"stop,omitempty"`
	Cause    string `json:"cause,omitempty"`
	Attempts int    `json:"attempts,omitzero"`
	// IDs and Sources are those of the events, in their order.
	IDs     []string `json:"ids"`
	Sources []string `json:"sources"`
}

// serveContents answers where each event is. It takes time and memory in proportion to what is queued: it is for tests and for
// looking into trouble.
func (c *cloud) serveContents(w http.ResponseWriter, r *http.Request) {
	main, err := c.contentsOf(r.Context(), devstack.MainQueue)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	letters, err := c.contentsOf(r.Context(), devstack.LetterQueue)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.MarshalWrite(w, contents{Queue: main, DeadLetters: letters}) // a client that has gone is no trouble of ours
}

func (c *cloud) contentsOf(ctx context.Context, name string) ([]packContents, error) {
	messages, err := c.server.SQS().Peek(name)
	if err != nil {
		return nil, err
	}
	packs := make([]packContents, 0, len(messages))
	bucket := claimcheck.New(aws.Config{
		Region: localRegion, BaseEndpoint: &c.aws, HTTPClient: c.server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, devstack.ClaimBucket)
	for i := range messages {
		pack, err := packOf(ctx, bucket, &messages[i])
		if err != nil {
			return nil, err
		}
		packs = append(packs, pack)
	}
	return packs, nil
}

// packOf lists what a message holds; one that is no readable pack, or whose events are gone, holds none. A bucket that does not
// answer is an error: its events must not be taken for lost.
func packOf(ctx context.Context, bucket getter, m *sqs.Message) (packContents, error) {
	events := m.MessageAttributes[batch.AttributeName].BinaryValue
	p, err := batch.Decode([]byte(m.Body), events)
	if errors.Is(err, batch.ErrCheckedIn) {
		events, err = bucket.Get(ctx, p.Header.Claim, p.Header.Bytes)
		if err != nil && !errors.Is(err, batch.ErrCorrupt) {
			return packContents{}, fmt.Errorf("events of pack %s: %w", p.Header.ID, err)
		}
		if err == nil {
			p, err = batch.Decode([]byte(m.Body), events)
		}
	}
	if err != nil {
		p.Events = nil
	}
	return newPackContents(&p), nil
}

func newPackContents(p *batch.Pack) packContents {
	contents := packContents{
		Pack: p.Header.ID, Sink: p.Header.Sink, Tenant: p.Header.Tenant,
		IDs: make([]string, 0, len(p.Events)), Sources: make([]string, 0, len(p.Events)),
	}
	if r := p.Header.Reason; r != nil {
		contents.Class, contents.Status, contents.Stop, contents.Cause, contents.Attempts = r.Class, r.Status, r.Stop, r.Cause, r.Attempts
	}
	for i := range p.Events {
		contents.IDs = append(contents.IDs, p.Events[i].ID)
		contents.Sources = append(contents.Sources, p.Events[i].Source)
	}
	return contents
}
